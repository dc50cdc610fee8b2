//! Fields of nested columns, each as a column of its own: `card.brand` of a struct, `items.amount` of a list of structs.
//!
//! Nested exports (JSON made into Parquet) keep most of what they say in structs. The columns are made as rows are read, beside the nested one; a field
//! of a list of structs is the list of its values.

use polars::prelude::*;

/// A field of a nested column.
#[derive(Debug, Clone)]
pub(super) struct NestedField {
    /// Its path from the column on, with dots.
    pub name: String,
    /// The column that it is in.
    pub column: PlSmallStr,
    pub dtype: DataType,
    /// What gives it.
    expr: Expr,
}

impl NestedField {
    /// Gives the field under its name.
    pub fn expr(&self) -> Expr {
        self.expr.clone().alias(self.name.as_str())
    }
}

/// The fields of all nested columns; none whose name a column has.
pub(super) fn nested_fields(schema: &Schema) -> Vec<NestedField> {
    let mut found = Vec::new();
    for (name, dtype) in schema.iter() {
        walk(name.to_string(), name, dtype, &col(name.clone()), &mut found);
    }
    found.retain(|field| !schema.contains(&field.name));
    found
}

/// Whether a column holds structs.
pub(super) fn is_nested(dtype: &DataType) -> bool {
    match dtype {
        DataType::Struct(_) => true,
        DataType::List(inner) => is_nested(inner),
        _ => false,
    }
}

fn walk(path: String, column: &PlSmallStr, dtype: &DataType, expr: &Expr, found: &mut Vec<NestedField>) {
    match dtype {
        DataType::Struct(fields) => {
            for field in fields {
                let of_field = within(expr, &field.name);
                walk(format!("{path}.{}", field.name), column, &field.dtype, &of_field, found);
            }
        }
        DataType::List(inner) => match inner.as_ref() {
            DataType::Struct(_) => {
                let mut elements = Vec::new();
                walk(String::new(), column, inner, &element(), &mut elements);
                found.extend(elements.into_iter().filter(|field| !matches!(field.dtype, DataType::List(_))).map(
                    |field| NestedField {
                        name: format!("{path}{}", field.name),
                        column: column.clone(),
                        dtype: DataType::List(Box::new(field.dtype)),
                        expr: expr.clone().list().eval(field.expr),
                    },
                ));
            }
            _ if path != column.as_str() => found.push(leaf(path, column, dtype, expr)),
            _ => {}
        },
        _ if path != column.as_str() => found.push(leaf(path, column, dtype, expr)),
        _ => {}
    }
}

fn leaf(name: String, column: &PlSmallStr, dtype: &DataType, expr: &Expr) -> NestedField {
    NestedField { name, column: column.clone(), dtype: dtype.clone(), expr: expr.clone() }
}

/// A field of a struct; null where the struct is.
fn within(of: &Expr, field: &PlSmallStr) -> Expr {
    when(of.clone().is_null()).then(lit(NULL)).otherwise(of.clone().struct_().field_by_name(field))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One row with all there is, one whose struct is null.
    fn frame() -> DataFrame {
        let brand = Column::new("brand".into(), [Some("visa"), Some("lost")]);
        let cents = Column::new("cents".into(), [Some(100_i64), Some(7)]);
        let inner = StructChunked::from_columns("card".into(), 2, &[brand]).unwrap().into_series();
        let whole = StructChunked::from_columns("pay".into(), 2, &[inner.into_column(), cents]).unwrap();
        let whole = whole.with_outer_validity(Some([true, false].into_iter().collect()));
        let amounts = Column::new("amount".into(), [5_i64, 6, 7]);
        let items = StructChunked::from_columns("item".into(), 3, &[amounts]).unwrap().into_series();
        let items = Series::new("items".into(), [items.slice(0, 2), items.slice(2, 1)]);
        DataFrame::new(2, vec![whole.into_column(), items.into_column()]).unwrap()
    }

    #[test]
    fn fields_of_structs_and_of_lists_of_structs_are_columns() {
        let frame = frame();
        let fields = nested_fields(frame.schema());
        let names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
        assert_eq!(names, ["pay.card.brand", "pay.cents", "items.amount"]);
        let flat = frame.lazy().select(fields.iter().map(NestedField::expr).collect::<Vec<_>>()).collect().unwrap();
        for field in &fields {
            assert_eq!(flat.column(&field.name).unwrap().dtype(), &field.dtype, "{}", field.name);
        }
        let cell = |name: &str, row: usize| flat.column(name).unwrap().get(row).unwrap().to_string();
        assert_eq!(cell("pay.card.brand", 0), "\"visa\"");
        assert_eq!((cell("pay.card.brand", 1), cell("pay.cents", 1)), ("null".to_owned(), "null".to_owned()));
        let sums = flat.lazy().select([col("items.amount").list().sum()]).collect().unwrap();
        assert_eq!(sums.column("items.amount").unwrap().i64().unwrap().to_vec(), [Some(11), Some(7)]);
    }
}
