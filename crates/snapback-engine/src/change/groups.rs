//! Calls on security groups (cloudtrail-shapes.md 3).

use super::params::{Node, network, prefix_list_id};
use super::reading::{Reading, omitted};
use super::{DeletedRef, Edit, GroupRef, RuleRef, Touched};
use crate::event::Record;
use snapback_model::*;

/// AuthorizeSecurityGroupIngress, AuthorizeSecurityGroupEgress. The response is preferred: it is
/// canonical, complete and has the rule ids; the request holds whatever the client sent.
pub(super) fn authorized(record: &Record, direction: Direction) -> Reading {
    let call = Call::new(record, "securityGroupRuleSet");
    call.reading(|group| {
        let answered = call.answered();
        let from_response = (!answered.is_empty()).then(|| call.response_rules(direction));
        let rules = match from_response {
            Some(Ok(rules)) => rules,
            Some(Err(why)) if record.request_parameters.is_null() => return Err(why),
            _ => call.request_rules(direction)?,
        };
        let sent_tags = call.request.tags_for("security-group-rule");
        Ok(rules
            .into_iter()
            .map(|rule| {
                let tags = if rule.tags.is_empty() {
                    sent_tags.clone()
                } else {
                    rule.tags
                };
                let tags = (!tags.is_empty()).then_some(tags);
                let detail = RuleDetail {
                    description: rule.description,
                    tags,
                };
                Edit::RuleAdded {
                    group: group.clone(),
                    rule: rule.key,
                    detail,
                    id: rule.id,
                }
            })
            .collect())
    })
}

/// RevokeSecurityGroupIngress, RevokeSecurityGroupEgress: by content or by rule ids. Newer responses
/// list what was really removed.
pub(super) fn revoked(record: &Record, direction: Direction) -> Reading {
    let call = Call::new(record, "revokedSecurityGroupRuleSet");
    call.reading(|group| {
        let removed = |rule: RuleRef| Edit::RuleRemoved {
            group: group.clone(),
            rule,
        };
        if call.answer.is_present()
            && let Ok(rules) = call.response_rules(direction)
        {
            return Ok(rules
                .into_iter()
                .map(|rule| removed(RuleRef::Key(rule.key)))
                .collect());
        }
        let ids = call
            .request
            .any(&["securityGroupRuleIds", "securityGroupRuleId"])
            .list();
        let mut edits = ids
            .iter()
            .map(|node| {
                match node
                    .get("securityGroupRuleId")
                    .text()
                    .or_else(|| node.text())
                {
                    Some(id) => Ok(removed(RuleRef::Id(SecurityGroupRuleId::new(id)))),
                    None => Err("`securityGroupRuleIds` holds an element that is no id".to_owned()),
                }
            })
            .collect::<Result<Vec<_>, _>>()?;
        if edits.is_empty() || !call.permissions().is_empty() {
            edits.extend(
                call.request_rules(direction)?
                    .into_iter()
                    .map(|rule| removed(RuleRef::Key(rule.key))),
            );
        }
        Ok(edits)
    })
}

/// ModifySecurityGroupRules: no direction and no old value in the event.
pub(super) fn modified(record: &Record) -> Reading {
    let call = Call::new(record, "");
    call.reading(|group| {
        let rules = call
            .request
            .any(&["securityGroupRule", "securityGroupRules"])
            .list();
        if rules.is_empty() {
            return Err(omitted(record).unwrap_or_else(|| "`SecurityGroupRule` is missing".into()));
        }
        rules
            .into_iter()
            .map(|node| {
                let rule = node.get("securityGroupRule");
                Ok(Edit::RuleModified {
                    group: group.clone(),
                    id: SecurityGroupRuleId::new(node.need("securityGroupRuleId")?),
                    traffic: traffic(rule)?,
                    peer: only(call.rule_peers(rule)?)?,
                    description: rule.get("description").text(),
                })
            })
            .collect()
    })
}

/// UpdateSecurityGroupRuleDescriptionsIngress, …Egress: no traffic changes.
pub(super) fn described(record: &Record, direction: Direction) -> Reading {
    let call = Call::new(record, "");
    call.reading(|group| {
        let ids = call
            .request
            .any(&[
                "securityGroupRuleDescription",
                "securityGroupRuleDescriptions",
            ])
            .list();
        let mut edits = ids
            .into_iter()
            .map(|node| {
                let rule = RuleRef::Id(SecurityGroupRuleId::new(node.need("securityGroupRuleId")?));
                Ok(Edit::RuleDescribed {
                    group: group.clone(),
                    rule,
                    description: node.get("description").text(),
                })
            })
            .collect::<Result<Vec<_>, String>>()?;
        if edits.is_empty() || !call.permissions().is_empty() {
            edits.extend(call.request_rules(direction)?.into_iter().map(|rule| {
                Edit::RuleDescribed {
                    group: group.clone(),
                    rule: RuleRef::Key(rule.key),
                    description: rule.description,
                }
            }));
        }
        Ok(edits)
    })
}

/// CreateSecurityGroup. EC2 adds the allow-all egress rule without an event (semantics A1). Whether
/// the VPC has IPv6, and so the rule a twin, is not in the event: the fold sees to it.
pub(super) fn created(record: &Record) -> Reading {
    let (request, response) = (
        Node::new(&record.request_parameters),
        Node::new(&record.response_elements),
    );
    let Some(id) = response.get("groupId").text().and_then(group_id) else {
        return Reading::unknown([], "the response does not tell the id of the new group");
    };
    let touched = [Touched::Resource(id.clone().into())];
    if let Some(why) = omitted(record) {
        return Reading::unknown(touched, why);
    }
    let everyone = [RuleKey {
        direction: Direction::Egress,
        traffic: Traffic::All,
        peer: Peer::cidr(ipnet::Ipv4Net::default().into()),
    }];
    let tags = response.get("tagSet").tags();
    let group = SecurityGroup {
        id,
        name: request.get("groupName").text(),
        description: request.any(&["groupDescription", "description"]).text(),
        vpc: request.get("vpcId").text().map(VpcId::new),
        owner: record.account.clone(),
        tags: Some(if tags.is_empty() {
            request.tags_for("security-group")
        } else {
            tags
        }),
        rules: everyone
            .into_iter()
            .map(|key| (key, RuleDetail::default()))
            .collect(),
    };
    Reading::known(
        touched,
        vec![Edit::Created {
            resource: Box::new(Resource::SecurityGroup(group)),
        }],
    )
}

/// DeleteSecurityGroup, by id or by name.
pub(super) fn deleted(record: &Record) -> Reading {
    let call = Call::new(record, "");
    call.reading(|group| {
        let resource = match group {
            GroupRef::Id(id) => DeletedRef::Id(id.clone().into()),
            GroupRef::Name(name) => DeletedRef::GroupNamed(name.clone()),
        };
        Ok(vec![Edit::Deleted { resource }])
    })
}

/// One call on one group: request, response, and the rules the response lists under `answer`.
struct Call<'a> {
    record: &'a Record,
    request: Node<'a>,
    response: Node<'a>,
    answer: Node<'a>,
}

/// A rule as a request or response tells it.
struct Rule {
    key: RuleKey,
    description: Option<String>,
    tags: Tags,
    id: Option<SecurityGroupRuleId>,
}

impl<'a> Call<'a> {
    fn new(record: &'a Record, answer: &str) -> Self {
        let response = Node::new(&record.response_elements);
        Self {
            record,
            request: Node::new(&record.request_parameters),
            response,
            answer: response.get(answer),
        }
    }

    fn answered(&self) -> Vec<Node<'a>> {
        self.answer.list()
    }

    /// The group: by id from the request, else from the response, else by name.
    fn group(&self) -> Option<GroupRef> {
        let asked = self.request.get("groupId").text().and_then(group_id);
        let answered = || {
            self.answered()
                .into_iter()
                .find_map(|rule| rule.get("groupId").text().and_then(group_id))
        };
        let response = || self.response.get("groupId").text().and_then(group_id);
        asked
            .or_else(answered)
            .or_else(response)
            .map(GroupRef::Id)
            .or_else(|| self.request.get("groupName").text().map(GroupRef::Name))
    }

    fn reading(&self, edits: impl FnOnce(&GroupRef) -> Result<Vec<Edit>, String>) -> Reading {
        let Some(group) = self.group() else {
            let why =
                omitted(self.record).unwrap_or_else(|| "the event names no security group".into());
            return Reading::unknown([], why);
        };
        let touched = match &group {
            GroupRef::Id(id) => Touched::Resource(id.clone().into()),
            GroupRef::Name(name) => Touched::GroupNamed { name: name.clone() },
        };
        match edits(&group) {
            Ok(edits) => Reading::known([touched], edits),
            Err(why) => Reading::unknown([touched], why),
        }
    }

    /// The rules that the response lists, one peer each.
    fn response_rules(&self, direction: Direction) -> Result<Vec<Rule>, String> {
        self.answered()
            .into_iter()
            .map(|node| {
                let direction = node
                    .get("isEgress")
                    .boolean()
                    .map_or(direction, Direction::from_egress);
                Ok(Rule {
                    key: RuleKey {
                        direction,
                        traffic: traffic(node)?,
                        peer: only(self.rule_peers(node)?)?,
                    },
                    description: node.get("description").text(),
                    tags: node.any(&["tagSet", "tags"]).tags(),
                    id: node
                        .get("securityGroupRuleId")
                        .text()
                        .map(SecurityGroupRuleId::new),
                })
            })
            .collect()
    }

    fn permissions(&self) -> Vec<Node<'a>> {
        self.request.get("ipPermissions").list()
    }

    /// The rules that the request names: each range, group and prefix list of each permission is its
    /// own rule; the short form puts one permission beside an empty `ipPermissions`.
    fn request_rules(&self, direction: Direction) -> Result<Vec<Rule>, String> {
        let mut rules = Vec::new();
        for permission in self.permissions() {
            let traffic = traffic(permission)?;
            let before = rules.len();
            for (list, member) in [("ipRanges", "cidrIp"), ("ipv6Ranges", "cidrIpv6")] {
                for range in permission.get(list).list() {
                    rules.push(rule(
                        direction,
                        traffic,
                        Peer::cidr(network(&range.need(member)?)?),
                        range,
                    ));
                }
            }
            for list in permission.get("prefixListIds").list() {
                let peer = Peer::PrefixList(prefix_list_id(list.need("prefixListId")?)?);
                rules.push(rule(direction, traffic, peer, list));
            }
            for pair in permission.any(&["groups", "userIdGroupPairs"]).list() {
                let id = pair
                    .get("groupId")
                    .text()
                    .ok_or("a source group is told by name only")?;
                rules.push(rule(
                    direction,
                    traffic,
                    self.group_peer(&id, pair.get("userId").account(), None)?,
                    pair,
                ));
            }
            if rules.len() == before {
                return Err(
                    "`ipPermissions` holds a permission without a source or destination".into(),
                );
            }
        }
        let request = self.request;
        if let Some(cidr) = request.any(&["cidrIp", "cidrIpv6"]).text() {
            rules.push(rule(
                direction,
                traffic(request)?,
                Peer::cidr(network(&cidr)?),
                request,
            ));
        }
        if !request.get("sourceSecurityGroupName").is_empty() {
            return Err("a source group is told by name only".into());
        }
        if rules.is_empty() {
            return Err(omitted(self.record).unwrap_or_else(|| "the request names no rules".into()));
        }
        Ok(rules)
    }

    /// The peers of a `SecurityGroupRule` (response) or `SecurityGroupRuleRequest` (wrapped request).
    fn rule_peers(&self, node: Node<'_>) -> Result<Vec<Peer>, String> {
        let mut peers = Vec::new();
        for member in ["cidrIpv4", "cidrIpv6"] {
            if let Some(cidr) = node.get(member).text() {
                peers.push(Peer::cidr(network(&cidr)?));
            }
        }
        if let Some(list) = node.get("prefixListId").text() {
            peers.push(Peer::PrefixList(prefix_list_id(list)?));
        }
        let referenced = node.get("referencedGroupInfo");
        if let Some(id) = referenced
            .get("groupId")
            .text()
            .or_else(|| node.get("referencedGroupId").text())
        {
            peers.push(self.group_peer(
                &id,
                referenced.get("userId").account(),
                node.get("groupOwnerId").account(),
            )?);
        }
        Ok(peers)
    }

    /// A group peer; its owner only where that is not the owner of the group that holds the rule.
    fn group_peer(
        &self,
        id: &str,
        owner: Option<AccountId>,
        holder: Option<AccountId>,
    ) -> Result<Peer, String> {
        let (owner, id) = match id.split_once('/') {
            Some((account, id)) => (Some(AccountId::new(account)), id),
            None => (owner, id),
        };
        let holder = holder
            .or_else(|| {
                self.answered()
                    .into_iter()
                    .find_map(|rule| rule.get("groupOwnerId").account())
            })
            .or_else(|| self.record.account.clone());
        let id =
            group_id(id.to_owned()).ok_or_else(|| format!("`{id}` is not a security group id"))?;
        Ok(Peer::SecurityGroup {
            id,
            owner: owner.filter(|owner| Some(owner) != holder.as_ref()),
        })
    }
}

fn rule(direction: Direction, traffic: Traffic, peer: Peer, told: Node<'_>) -> Rule {
    let key = RuleKey {
        direction,
        traffic,
        peer,
    };
    Rule {
        key,
        description: told.get("description").text(),
        tags: Tags::new(),
        id: None,
    }
}

/// Protocol with its from/to pair; ports that came with −1 mean nothing.
fn traffic(node: Node<'_>) -> Result<Traffic, String> {
    let protocol = node.need("ipProtocol")?;
    let number = |member: &str| match node.get(member).text() {
        None => Ok(None),
        Some(text) => text
            .parse()
            .map(Some)
            .map_err(|_| format!("`{member}` is `{text}`, not a number")),
    };
    Traffic::new(&protocol, number("fromPort")?, number("toPort")?)
        .map_err(|error| error.to_string())
}

fn only(peers: Vec<Peer>) -> Result<Peer, String> {
    let [peer] = <[Peer; 1]>::try_from(peers)
        .map_err(|peers| format!("a rule has {} peers, not one", peers.len()))?;
    Ok(peer)
}

/// A group's id; `@` sets an owner apart in the text form of a peer, so no id has it.
fn group_id(text: String) -> Option<SecurityGroupId> {
    (text.starts_with("sg-") && !text.contains('@')).then(|| SecurityGroupId::new(text))
}
