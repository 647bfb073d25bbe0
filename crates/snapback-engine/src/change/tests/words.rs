//! Edits as logs and messages tell them.

use super::*;

#[test]
fn each_edit_is_told_by_what_it_names() {
    let group = || GroupRef::Id("sg-1".into());
    let named = || GroupRef::Name("web".into());
    let rule = || RuleRef::Id("sgr-1".into());
    let subject = |subject| Edit::TableAssociated {
        table: "rtb-1".into(),
        subject,
        association: None,
    };
    let propagation = |enabled| Edit::PropagationSet {
        table: "rtb-1".into(),
        gateway: "vgw-1".into(),
        enabled,
    };
    let described = |description| Edit::RuleDescribed {
        group: group(),
        rule: rule(),
        description,
    };
    let told = [
        (
            Edit::RuleRemoved {
                group: named(),
                rule: RuleRef::Key("ingress tcp:22 0.0.0.0/0".parse().unwrap()),
            },
            "the security group named `web`: rule removed: ingress tcp:22 0.0.0.0/0",
        ),
        (
            described(Some("ssh".into())),
            "sg-1: rule sgr-1 is now described \"ssh\"",
        ),
        (described(None), "sg-1: rule sgr-1 lost its description"),
        (
            Edit::AclReassociated {
                association: "aclassoc-1".into(),
                acl: "acl-1".into(),
                new_association: None,
            },
            "acl-1: took over the subnet of association aclassoc-1",
        ),
        (
            subject(AssociationSubject::Subnet("subnet-1".into())),
            "rtb-1: associated with subnet-1",
        ),
        (
            subject(AssociationSubject::Gateway("igw-1".into())),
            "rtb-1: associated with igw-1",
        ),
        (
            subject(AssociationSubject::Main("vpc-1".into())),
            "rtb-1: associated with vpc-1",
        ),
        (
            Edit::TableDisassociated {
                association: "rtbassoc-1".into(),
            },
            "association rtbassoc-1 removed",
        ),
        (propagation(true), "rtb-1: propagation from vgw-1 enabled"),
        (propagation(false), "rtb-1: propagation from vgw-1 disabled"),
        (
            Edit::Deleted {
                resource: DeletedRef::GroupNamed("web".into()),
            },
            "the security group named `web` deleted",
        ),
        (
            Edit::Deleted {
                resource: DeletedRef::Id(ResourceId::NetworkAcl("acl-1".into())),
            },
            "acl-1 deleted",
        ),
    ];
    for (edit, words) in told {
        assert_eq!(edit.to_string(), words, "{edit:?}");
    }
}
