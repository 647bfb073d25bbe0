//! Who acts on the account beside the guard, and that they do.

use super::{SSH, Setting, allow, authorize, create_group};
use snapback_model::*;
use snapback_sim::{ACCOUNT, Call, Principal, story};

/// A stranger: whatever they do is judged.
pub fn stranger() -> Principal {
    Principal::user("mallory")
}

/// One of many different people whom nobody trusts.
pub fn user(number: usize) -> Principal {
    Principal::user(&format!("user-{number}"))
}

/// The deployment role, which the stories' policy trusts.
pub fn deployment() -> Principal {
    story::pipeline()
}

/// Terraform with a role that nobody trusts: a controller that applies its change again and again.
pub fn terraform() -> Principal {
    Principal {
        user_agent: "APN/1.0 HashiCorp/1.0 Terraform/1.9.0 terraform-provider-aws/6.1".into(),
        ..Principal::role(format!("arn:aws:iam::{ACCOUNT}:role/platform"), "run-17")
    }
}

impl Setting {
    /// Somebody makes a call that must succeed; its event is on its way then.
    ///
    /// # Panics
    /// Where EC2 refuses it.
    #[track_caller]
    pub fn does(&self, who: &Principal, call: Call) {
        self.world.call(who, call).unwrap();
    }

    /// Somebody makes calls one after the other, all of which must succeed.
    ///
    /// # Panics
    /// Where EC2 refuses one.
    #[track_caller]
    pub fn does_all(&self, who: &Principal, calls: impl IntoIterator<Item = Call>) {
        for call in calls {
            self.does(who, call);
        }
    }

    /// Somebody makes something; its id.
    ///
    /// # Panics
    /// Where EC2 refuses it.
    #[track_caller]
    pub fn made(&self, who: &Principal, call: Call) -> String {
        self.world.call(who, call).unwrap().first().to_owned()
    }

    /// The deployment makes a group with rules in the shop's VPC.
    ///
    /// # Panics
    /// Where EC2 refuses it.
    #[track_caller]
    pub fn make_group(&self, name: &str, rules: &[&str]) -> SecurityGroupId {
        let group = SecurityGroupId::new(self.made(&deployment(), create_group(self, name)));
        for rule in rules {
            self.does(&deployment(), allow(&group, &[rule]));
        }
        group
    }

    /// The deployment makes so many groups, none with a rule of its own.
    ///
    /// # Panics
    /// Where EC2 refuses one.
    #[track_caller]
    pub fn make_groups(&self, count: usize) -> Vec<SecurityGroupId> {
        let names = (0..count).map(|number| format!("many-{number}"));
        names.map(|name| self.make_group(&name, &[])).collect()
    }

    /// Many different people open a group each to the whole internet; nobody has handled it yet.
    ///
    /// # Panics
    /// Where EC2 refuses one.
    #[track_caller]
    pub fn open_all(&self, groups: &[SecurityGroupId]) {
        for (number, group) in groups.iter().enumerate() {
            self.does(&user(number), allow(group, &[SSH]));
        }
    }

    /// Somebody makes a call, and everything that follows from it happens.
    ///
    /// # Panics
    /// Where EC2 refuses the call.
    pub async fn play(&mut self, who: &Principal, call: Call) {
        self.does(who, call);
        self.settle().await;
    }

    /// Somebody authorizes a rule on the application group, and everything that follows from it happens.
    ///
    /// # Panics
    /// Where EC2 refuses it.
    pub async fn opens(&mut self, who: &Principal, rule: &str) {
        let call = authorize(self, &[rule]);
        self.play(who, call).await;
    }

    /// Somebody makes calls one after the other before anything else happens, then all that follows does.
    ///
    /// # Panics
    /// Where EC2 refuses one.
    pub async fn play_all(&mut self, who: &Principal, calls: impl IntoIterator<Item = Call>) {
        self.does_all(who, calls);
        self.settle().await;
    }
}
