//! Who makes a call: enough to write a real-shaped `userIdentity`.

use crate::ACCOUNT;

/// The identity behind a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// A session of an IAM role.
    Role {
        /// The role's IAM ARN, path included.
        arn: String,
        /// The session name.
        session: String,
    },
    /// An IAM user.
    User {
        /// The user's ARN.
        arn: String,
    },
    /// The account's root.
    Root {
        /// The account.
        account: String,
    },
}

/// Who makes a call, and from where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The identity.
    pub identity: Identity,
    /// The address it calls from.
    pub source_ip: String,
    /// The client.
    pub user_agent: String,
    /// Whether the call is made in the console.
    pub console: bool,
    /// The AWS service that calls on the identity's behalf (`cloudformation.amazonaws.com`).
    pub via: Option<String>,
    /// STS source identity.
    pub source_identity: Option<String>,
}

const CLI: &str = "aws-cli/2.31.13 md/awscrt#0.28.1 ua/2.1 os/linux#6.8 md/arch#x86_64 lang/python#3.13.7 md/command#ec2";
const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36";
const GUARD: &str = "aws-sdk-rust/1.3.9 ua/2.1 api/ec2/1.274.0 os/linux lang/rust/1.94.1 exec-env/AWS_Lambda_provided.al2023";

impl Principal {
    fn new(identity: Identity) -> Self {
        Self {
            identity,
            source_ip: "198.51.100.23".into(),
            user_agent: CLI.into(),
            console: false,
            via: None,
            source_identity: None,
        }
    }

    /// A role session with the CLI: `arn:aws:iam::111122223333:role/deploy`, `gitlab-42`.
    pub fn role(arn: impl Into<String>, session: impl Into<String>) -> Self {
        Self::new(Identity::Role {
            arn: arn.into(),
            session: session.into(),
        })
    }

    /// An IAM user of our account with the CLI.
    pub fn user(name: &str) -> Self {
        Self::new(Identity::User {
            arn: format!("arn:aws:iam::{ACCOUNT}:user/{name}"),
        })
    }

    /// The root of our account.
    pub fn root() -> Self {
        Self::new(Identity::Root {
            account: ACCOUNT.into(),
        })
        .in_console()
    }

    /// A person through Identity Center, in the console.
    pub fn identity_center(permission_set: &str, person: &str) -> Self {
        let arn = format!(
            "arn:aws:iam::{ACCOUNT}:role/aws-reserved/sso.amazonaws.com/eu-central-1/AWSReservedSSO_{permission_set}_0123456789abcdef"
        );
        Self::role(arn, person).in_console()
    }

    /// CloudFormation on behalf of a role.
    pub fn cloudformation(role_arn: impl Into<String>) -> Self {
        Self {
            via: Some("cloudformation.amazonaws.com".into()),
            ..Self::role(role_arn, "AWSCloudFormation")
        }
    }

    /// Our own guard function.
    pub fn guard() -> Self {
        Self {
            source_ip: "18.184.0.17".into(),
            user_agent: GUARD.into(),
            ..Self::role(crate::GUARD_ROLE, "snapback-guard")
        }
    }

    /// The same, in the console.
    #[must_use]
    pub fn in_console(self) -> Self {
        Self {
            console: true,
            user_agent: BROWSER.into(),
            ..self
        }
    }

    /// The same, from another address.
    #[must_use]
    pub fn from_ip(self, source_ip: &str) -> Self {
        Self {
            source_ip: source_ip.into(),
            ..self
        }
    }

    /// The same, with a source identity.
    #[must_use]
    pub fn with_source_identity(self, person: &str) -> Self {
        Self {
            source_identity: Some(person.into()),
            ..self
        }
    }

    /// The ARN that policies match: the role behind a session, the user, the root.
    pub fn arn(&self) -> String {
        match &self.identity {
            Identity::Role { arn, .. } | Identity::User { arn } => arn.clone(),
            Identity::Root { account } => format!("arn:aws:iam::{account}:root"),
        }
    }

    /// The account in its ARN.
    pub fn account(&self) -> String {
        self.arn().split(':').nth(4).unwrap_or_default().to_owned()
    }

    /// `userAgent` as CloudTrail shows it: the service's name when one calls on behalf.
    pub(crate) fn agent(&self) -> &str {
        self.via.as_deref().unwrap_or(&self.user_agent)
    }
}
