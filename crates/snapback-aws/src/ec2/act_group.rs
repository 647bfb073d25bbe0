//! Calls on the rules of security groups.

use super::Ec2;
use super::act::{astray, send};
use super::request::{common_tags, permissions, rule_request, tag_list};
use crate::call::{call_error, not_sent};
use aws_sdk_ec2::operation::RequestId as _;
use aws_sdk_ec2::types as sdk;
use snapback_app::port::{CallError, Receipt};
use snapback_engine::plan::Action;
use snapback_model::*;
use std::collections::BTreeMap;

impl Ec2 {
    pub(super) async fn act_on_group(&self, action: &Action) -> Result<Receipt, CallError> {
        match action {
            Action::AuthorizeSecurityGroupRules {
                group,
                direction,
                rules,
            } => self.authorize(action, group, *direction, rules).await,
            Action::RevokeSecurityGroupRules {
                group,
                direction,
                rules,
            } => self.revoke(action, group, *direction, rules).await,
            Action::ModifySecurityGroupRule {
                group,
                id,
                to,
                description,
                ..
            } => {
                let update = sdk::SecurityGroupRuleUpdate::builder()
                    .security_group_rule_id(id.as_str())
                    .security_group_rule(rule_request(to, description.as_deref()))
                    .build();
                let call = self.client.modify_security_group_rules();
                send!(
                    call.group_id(group.as_str()).security_group_rules(update),
                    action,
                    group.as_str()
                )
            }
            Action::UpdateSecurityGroupRuleDescriptions {
                group,
                direction,
                rules,
            } => {
                let permissions =
                    permissions(rules.iter().map(|(key, text)| (key, text.as_deref())));
                match direction {
                    Direction::Ingress => {
                        let call = self
                            .client
                            .update_security_group_rule_descriptions_ingress();
                        let call = call
                            .group_id(group.as_str())
                            .set_ip_permissions(Some(permissions));
                        send!(call, action, group.as_str())
                    }
                    Direction::Egress => {
                        let call = self.client.update_security_group_rule_descriptions_egress();
                        let call = call
                            .group_id(group.as_str())
                            .set_ip_permissions(Some(permissions));
                        send!(call, action, group.as_str())
                    }
                }
            }
            _ => Err(astray(action)),
        }
    }

    async fn authorize(
        &self,
        action: &Action,
        group: &SecurityGroupId,
        direction: Direction,
        rules: &BTreeMap<RuleKey, RuleDetail>,
    ) -> Result<Receipt, CallError> {
        let tags = common_tags(rules).ok_or_else(|| {
            let why = "the call was not sent: one call gives all its rules the same tags";
            not_sent(action.api(), group.as_str(), "MixedTags", why)
        })?;
        let tags = tags.filter(|tags| !tags.is_empty()).map(|tags| {
            let specification = sdk::TagSpecification::builder()
                .resource_type(sdk::ResourceType::SecurityGroupRule)
                .set_tags(Some(tag_list(tags)));
            vec![specification.build()]
        });
        let permissions = permissions(
            rules
                .iter()
                .map(|(key, detail)| (key, detail.description.as_deref())),
        );
        match direction {
            Direction::Ingress => {
                let call = self
                    .client
                    .authorize_security_group_ingress()
                    .group_id(group.as_str());
                let call = call
                    .set_ip_permissions(Some(permissions))
                    .set_tag_specifications(tags);
                send!(call, action, group.as_str())
            }
            Direction::Egress => {
                let call = self
                    .client
                    .authorize_security_group_egress()
                    .group_id(group.as_str());
                let call = call
                    .set_ip_permissions(Some(permissions))
                    .set_tag_specifications(tags);
                send!(call, action, group.as_str())
            }
        }
    }

    /// By id where every id is known: by content, a default VPC answers a mismatch with success (semantics B1).
    async fn revoke(
        &self,
        action: &Action,
        group: &SecurityGroupId,
        direction: Direction,
        rules: &BTreeMap<RuleKey, Option<SecurityGroupRuleId>>,
    ) -> Result<Receipt, CallError> {
        let ids: Option<Vec<String>> = rules
            .values()
            .map(|id| id.as_ref().map(ToString::to_string))
            .collect();
        let by_content = ids
            .is_none()
            .then(|| permissions(rules.keys().map(|key| (key, None))));
        match direction {
            Direction::Ingress => {
                let call = self
                    .client
                    .revoke_security_group_ingress()
                    .group_id(group.as_str());
                let call = call
                    .set_security_group_rule_ids(ids)
                    .set_ip_permissions(by_content);
                send!(call, action, group.as_str())
            }
            Direction::Egress => {
                let call = self
                    .client
                    .revoke_security_group_egress()
                    .group_id(group.as_str());
                let call = call
                    .set_security_group_rule_ids(ids)
                    .set_ip_permissions(by_content);
                send!(call, action, group.as_str())
            }
        }
    }
}
