//! `remembered_members`: memberships of guarantee groups that the next night has to see.

use crate::exposure::RememberedMember;
use crate::publish::column::{Earlier, Kind, OutputColumn as Column, OutputTable};
use crate::publish::row::OutputRow;

impl OutputRow for RememberedMember {
    type Key<'a> = (&'a str, &'a str);

    fn table() -> OutputTable {
        OutputTable {
            name: "remembered_members",
            doc: "One row a membership of a guarantee group that goes on, of which nothing is seen tonight, or that an earlier night saw go on. The next night has to \
                  see that one without went_on_until goes on or has ended (left_at): until then what the group owes is unknown.",
            sorted_by: &["group_id", "merchant_id"],
            columns: vec![
                Column::required("group_id", Kind::Text, "", "The group."),
                Column::required("merchant_id", Kind::Text, "", "The member."),
                Column::optional(
                    "went_on_until",
                    Kind::Day,
                    "date",
                    "Of a membership that has ended: the last night that saw it go on. The member answers for what the group drew before it, whatever its row says.",
                )
                .added_later(Earlier::Unknown),
                Column::optional(
                    "joined_at",
                    Kind::Int64,
                    "microseconds since 1970 UTC",
                    "The earliest beginning that a night knew. Once it has ended, the member answers for what the group drew from then on, whatever its row says.",
                )
                .added_later(Earlier::Unknown),
            ],
        }
    }

    fn key(&self) -> Self::Key<'_> {
        (&self.group_id, &self.merchant_id)
    }
}
