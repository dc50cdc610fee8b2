//! `remembered_members`: memberships of guarantee groups that the next night has to see.

use crate::exposure::RememberedMember;
use crate::publish::column::{Kind, OutputColumn as Column, OutputTable};
use crate::publish::row::OutputRow;

impl OutputRow for RememberedMember {
    type Key<'a> = (&'a str, &'a str);

    fn table() -> OutputTable {
        OutputTable {
            name: "remembered_members",
            doc: "One row a membership of a guarantee group that goes on, or of which nothing is seen tonight. The next night has to see that it goes on \
                  or has ended (left_at): until then what the group owes is unknown.",
            sorted_by: &["group_id", "merchant_id"],
            columns: vec![
                Column::required("group_id", Kind::Text, "", "The group."),
                Column::required("merchant_id", Kind::Text, "", "The member."),
            ],
        }
    }

    fn key(&self) -> Self::Key<'_> {
        (&self.group_id, &self.merchant_id)
    }
}
