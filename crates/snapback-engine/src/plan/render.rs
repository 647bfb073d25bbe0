//! A plan as other programs and a person at 3 a.m. take it: JSON, and a shell script.

use super::{Action, Note, Plan, Step};
use serde_json::{Value, json};
use snapback_model::*;
use std::fmt::Write as _;

/// What the script says before its first call.
const PROLOGUE: &str = "\
set -eu
export AWS_PAGER=''

# The association id of now: every replace gives a new one.
found() {
  case \"$1\" in
    '' | None) echo \"stop: $2 is not there any more; nothing after this was done, make a new plan\" >&2; exit 1 ;;
  esac
}
";

impl Plan {
    /// The plan for programs: `steps[]` with `action` (the EC2 API name), `parameters` (as `aws ec2 …
    /// --cli-input-json` and boto3 take them), `resource`, `why` and `text`; `notes[]` with `kind`
    /// (`cannot`, `needs`, `interrupts`), where `step` and `until` count from 0. Association ids are those of `handles`.
    /// A step that makes something has `makes`: the name by which later steps mean what EC2 gives a
    /// new id.
    pub fn to_json(&self, handles: &Handles) -> Value {
        let step = |step: &Step| {
            let mut members = json!({
                "action": step.action.api(),
                "parameters": step.action.parameters(handles),
                "resource": step.resource,
                "why": step.why,
                "text": step.action.describe(),
            });
            if let (Some(made), Some(members)) = (step.action.makes(), members.as_object_mut()) {
                members.insert("makes".into(), json!(made));
            }
            members
        };
        let note = |note: &Note| match note {
            Note::Cannot { resource, what } => {
                json!({ "kind": "cannot", "resource": resource, "what": what })
            }
            Note::Needs {
                resource,
                what,
                needs,
            } => json!({ "kind": "needs", "resource": resource, "what": what, "needs": needs }),
            Note::Interrupts {
                step,
                until,
                what,
                why,
            } => {
                json!({ "kind": "interrupts", "step": step, "until": until, "what": what, "why": why })
            }
        };
        json!({
            "steps": self.steps.iter().map(step).collect::<Vec<_>>(),
            "notes": self.notes.iter().map(note).collect::<Vec<_>>(),
        })
    }

    /// [`Self::to_json`] with what each step does: `safety` (`safe`, or `interrupts` or `unproved` with
    /// its reasons) and `traffic` (what it has closed, restored and led elsewhere so far, compared with
    /// how it was before the plan). `live` is the snapshot that the plan was made for.
    pub fn to_json_with_traffic(&self, live: &Snapshot) -> Value {
        let mut plan = self.to_json(&live.handles);
        let told = super::safety(live, self)
            .into_iter()
            .zip(super::traffic(live, self));
        let steps = plan.get_mut("steps").and_then(Value::as_array_mut);
        for (step, (safety, traffic)) in steps.into_iter().flatten().zip(told) {
            if let Some(members) = step.as_object_mut() {
                members.insert("safety".into(), json!(safety));
                members.insert("traffic".into(), json!(traffic));
            }
        }
        plan
    }

    /// The plan as a POSIX shell script of `aws ec2` calls, which stops at the first that fails.
    /// Association ids are looked up when the script runs, ids that EC2 gives are taken from its answer,
    /// and NAT gateways are waited for.
    pub fn to_shell(&self, region: Option<&Region>) -> String {
        let mut script = String::from("#!/bin/sh\n");
        let count = self.steps.len();
        comment(
            &mut script,
            &format!("Snapback: {count} calls from the live state to the baseline."),
        );
        comment(
            &mut script,
            "Made for the state as it was read; if somebody changed it since, make a new plan.",
        );
        for note in &self.notes {
            comment(
                &mut script,
                &match note.left_undone() {
                    Some(undone) => format!("NOT DONE HERE: {undone}"),
                    None => format!("ATTENTION {}", note.words()),
                },
            );
        }
        script.push_str(PROLOGUE);
        if let Some(region) = region {
            let _infallible = writeln!(
                script,
                "export AWS_REGION={0} AWS_DEFAULT_REGION={0}",
                quoted(region.as_str())
            );
        }
        let mut made: Vec<CreatedId> = Vec::new();
        for (index, step) in self.steps.iter().enumerate() {
            let title = format!(
                "{}/{count} {}: {}",
                index.saturating_add(1),
                step.resource,
                step.why
            );
            script.push('\n');
            comment(&mut script, &title);
            comment(&mut script, &step.action.describe());
            call(&mut script, &step.action, &mut made);
        }
        let _infallible = writeln!(
            script,
            "\necho {} >&2",
            quoted(&format!("done: {count} calls"))
        );
        script
    }
}

/// One call. Parameters go as JSON, so that only one quoting has to be right. `made` are the names of
/// what earlier calls made: the shell knows their ids.
fn call(script: &mut String, action: &Action, made: &mut Vec<CreatedId>) {
    let command = kebab(action.api());
    let mut parameters = action.parameters(&Handles::default());
    let Some(lookup) = lookup(action) else {
        let call = format!(
            "aws ec2 {command} --cli-input-json {}",
            with_ids(&quoted(&parameters.to_string()), made)
        );
        match action.makes().zip(answer(action)) {
            Some((name, query)) => birth(script, action, &call, query, made, name),
            None => {
                let _infallible = writeln!(script, "{call}");
            }
        }
        return;
    };
    if let Some(members) = parameters.as_object_mut() {
        members.remove("AssociationId");
    }
    let _infallible = writeln!(
        script,
        "association=$(aws ec2 {} --filters {} --query {} --output text)\nfound \"$association\" {}",
        lookup.command,
        lookup
            .filters
            .iter()
            .map(|filter| quoted(filter))
            .collect::<Vec<_>>()
            .join(" "),
        quoted(&lookup.query),
        quoted(&format!("the association of {}", lookup.subject)),
    );
    let _infallible = write!(
        script,
        "aws ec2 {command} --association-id \"$association\""
    );
    if parameters
        .as_object()
        .is_some_and(|members| !members.is_empty())
    {
        let _infallible = write!(
            script,
            " --cli-input-json {}",
            with_ids(&quoted(&parameters.to_string()), made)
        );
    }
    script.push('\n');
}

/// Where the answer of a create call tells the new id.
fn answer(action: &Action) -> Option<&'static str> {
    match action {
        Action::CreateSecurityGroup { .. } => Some("GroupId"),
        Action::CreateNetworkAcl { .. } => Some("NetworkAcl.NetworkAclId"),
        Action::CreateRouteTable { .. } => Some("RouteTable.RouteTableId"),
        Action::CreateNatGateway { .. } => Some("NatGateway.NatGatewayId"),
        _ => None,
    }
}

/// A create call: later calls use the id of its answer. The address of a NAT gateway is free once the
/// old one is deleted, and no route leads to the new one before it is available.
fn birth(
    script: &mut String,
    action: &Action,
    call: &str,
    query: &str,
    made: &mut Vec<CreatedId>,
    name: CreatedId,
) {
    if let Action::CreateNatGateway { request, .. } = action
        && let Some(old) = request.predecessor()
    {
        let _infallible = writeln!(
            script,
            "aws ec2 wait nat-gateway-deleted --nat-gateway-ids {}",
            quoted(old)
        );
    }
    made.push(name);
    let number = made.len();
    let _infallible = writeln!(
        script,
        "made_{number}=$({call} --query {} --output text)\nfound \"$made_{number}\" 'what was just made'",
        quoted(query)
    );
    if matches!(action, Action::CreateNatGateway { .. }) {
        let _infallible = writeln!(
            script,
            "aws ec2 wait nat-gateway-available --nat-gateway-ids \"$made_{number}\""
        );
    }
}

/// A quoted JSON text in which the ids of what was made stand in the place of their names.
fn with_ids(text: &str, made: &[CreatedId]) -> String {
    let numbered = made.iter().enumerate();
    numbered.fold(text.to_owned(), |text, (index, name)| {
        let number = index.saturating_add(1);
        text.replace(&format!("\"{name}\""), &format!("\"'\"$made_{number}\"'\""))
    })
}

/// How to find the id of an association now.
struct Lookup {
    command: &'static str,
    filters: Vec<String>,
    query: String,
    subject: String,
}

fn lookup(action: &Action) -> Option<Lookup> {
    let acl = |subnet: &SubnetId| Lookup {
        command: "describe-network-acls",
        filters: vec![format!("Name=association.subnet-id,Values={subnet}")],
        query: format!(
            "NetworkAcls[].Associations[] | [?SubnetId=='{subnet}'].NetworkAclAssociationId | [0]"
        ),
        subject: format!("{subnet} with a network ACL"),
    };
    let table = |subject: &AssociationSubject| {
        let (filters, chosen) = match subject {
            AssociationSubject::Subnet(subnet) => (
                vec![format!("Name=association.subnet-id,Values={subnet}")],
                format!("SubnetId=='{subnet}'"),
            ),
            AssociationSubject::Gateway(gateway) => (
                vec![format!("Name=association.gateway-id,Values={gateway}")],
                format!("GatewayId=='{gateway}'"),
            ),
            AssociationSubject::Main(vpc) => {
                let main = "Name=association.main,Values=true".to_owned();
                (
                    vec![format!("Name=vpc-id,Values={vpc}"), main],
                    "Main".to_owned(),
                )
            }
        };
        Lookup {
            command: "describe-route-tables",
            filters,
            query: format!(
                "RouteTables[].Associations[] | [?{chosen}].RouteTableAssociationId | [0]"
            ),
            subject: format!("{subject} with a route table"),
        }
    };
    match action {
        Action::ReplaceNetworkAclAssociation { subnet, .. } => Some(acl(subnet)),
        Action::ReplaceRouteTableAssociation { subject, .. }
        | Action::DisassociateRouteTable { subject, .. } => Some(table(subject)),
        _ => None,
    }
}

/// `AuthorizeSecurityGroupIngress` → `authorize-security-group-ingress`.
fn kebab(api: &str) -> String {
    let mut name = String::with_capacity(api.len().saturating_add(8));
    for char in api.chars() {
        if char.is_ascii_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.push(char.to_ascii_lowercase());
    }
    name
}

/// One shell word, whatever it holds.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// One comment line. Descriptions are written by strangers: a line break in one would end the comment.
fn comment(script: &mut String, text: &str) {
    script.push_str("# ");
    script.extend(text.chars().map(|char| {
        if is_line_break_or_control(char) {
            ' '
        } else {
            char
        }
    }));
    script.push('\n');
}

fn is_line_break_or_control(char: char) -> bool {
    char.is_control() || matches!(char, '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
#[allow(clippy::panic, reason = "tests")]
mod tests;
