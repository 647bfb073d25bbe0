//! Who calls: the access key of a signed request. The signature itself is not looked at.

use crate::account::Account;
use crate::principal::{Identity, Principal};
use snapback_model::AccountId;
use std::collections::BTreeMap;

/// What the head of a request tells of its caller.
#[derive(Debug, Clone, Copy, Default)]
pub struct Credentials<'a> {
    /// `Authorization`.
    pub authorization: Option<&'a str>,
    /// Whether `X-Amz-Security-Token` is there: the credentials of a role session.
    pub has_token: bool,
    /// `User-Agent`.
    pub user_agent: Option<&'a str>,
    /// The address the connection comes from.
    pub source_ip: Option<&'a str>,
}

impl Credentials<'_> {
    /// The access key: `AWS4-HMAC-SHA256 Credential=KEY/20260302/eu-central-1/ec2/aws4_request, …`.
    fn key(&self) -> Option<&str> {
        let (_, rest) = self.authorization?.split_once("Credential=")?;
        let key = rest.split(['/', ',', ' ']).next()?;
        (!key.is_empty()).then_some(key)
    }
}

/// Which access keys belong to whom.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Callers(BTreeMap<String, Identity>);

impl Callers {
    /// Makes a key somebody's: an IAM user, a role (its session is named like the key), a session
    /// (`arn:aws:sts::…:assumed-role/ROLE/SESSION`; the path of the role is not in such an ARN), or
    /// the root.
    ///
    /// # Errors
    /// An ARN that is none of these.
    pub fn know(&mut self, key: &str, arn: &str) -> Result<(), String> {
        let bad = || {
            format!("{arn}: not the ARN of an IAM user, a role, an assumed role or a root account")
        };
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        let ["arn", partition, service, "", account, resource] = parts.as_slice() else {
            return Err(bad());
        };
        let identity = match (*service, resource.split_once('/')) {
            ("iam", Some(("user", _))) => Identity::User {
                arn: arn.to_owned(),
            },
            ("iam", Some(("role", _))) => Identity::Role {
                arn: arn.to_owned(),
                session: key.to_owned(),
            },
            ("iam", None) if *resource == "root" => Identity::Root {
                account: (*account).to_owned(),
            },
            ("sts", Some(("assumed-role", rest))) => {
                let (role, session) = rest.split_once('/').ok_or_else(bad)?;
                Identity::Role {
                    arn: format!("arn:{partition}:iam::{account}:role/{role}"),
                    session: session.to_owned(),
                }
            }
            _ => return Err(bad()),
        };
        self.0.insert(key.to_owned(), identity);
        Ok(())
    }

    /// The caller of a request. A key nobody knows is a user of that name, or with a session token a
    /// role; `None` for a request without a key.
    pub(super) fn principal(
        &self,
        credentials: &Credentials<'_>,
        account: &Account,
    ) -> Option<Principal> {
        let key = credentials.key()?;
        let known = self.0.get(key).cloned();
        let identity = known.unwrap_or_else(|| stranger(key, credentials.has_token, &account.id));
        Some(Principal {
            identity,
            source_ip: credentials.source_ip.unwrap_or("127.0.0.1").to_owned(),
            user_agent: credentials.user_agent.unwrap_or_default().to_owned(),
            console: false,
            via: None,
            source_identity: None,
        })
    }
}

fn stranger(key: &str, has_token: bool, account: &AccountId) -> Identity {
    if has_token {
        Identity::Role {
            arn: format!("arn:aws:iam::{account}:role/{key}"),
            session: key.to_owned(),
        }
    } else {
        Identity::User {
            arn: format!("arn:aws:iam::{account}:user/{key}"),
        }
    }
}
