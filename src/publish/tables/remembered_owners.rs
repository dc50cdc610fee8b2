//! `remembered_owners`: shops and their owners that the next night has to know.

use crate::exposure::RememberedOwner;
use crate::publish::column::{Kind, OutputColumn as Column, OutputTable};
use crate::publish::row::OutputRow;

impl OutputRow for RememberedOwner {
    type Key<'a> = (&'a str, &'a str);

    fn table() -> OutputTable {
        OutputTable {
            name: "remembered_owners",
            doc: "One row a shop and owner; none where the marketplace names no owners. Whose row names another owner on a later night, or none, or is gone, goes on to answer \
                  for this one until its shops owe nothing and none of them may draw what it was offered before.",
            sorted_by: &["merchant_id", "owner_id"],
            columns: vec![
                Column::required("merchant_id", Kind::Text, "", "The shop."),
                Column::required(
                    "owner_id",
                    Kind::Text,
                    "",
                    "Its owner as owners are compared: without blanks, in small letters.",
                ),
                Column::optional(
                    "left_on",
                    Kind::Day,
                    "date",
                    "The first night on which the shop's row did not name this owner; null where it does.",
                ),
            ],
        }
    }

    fn key(&self) -> Self::Key<'_> {
        (&self.merchant_id, &self.owner_id)
    }
}
