use polars::prelude::*;
use polars::sql::SQLContext;
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let f = df!("d" => ["01/02/2018","3/12/2019 10:05","x",""], "e" => ["1514736000","1514736000123","",""], "m" => ["12.345","1234567890123.45","abc","NaN"], "n" => ["1","1","2","2"], "c"=>["20180102","20180102101112","",""], "g" => ["1","2","3",""]).unwrap();
    for q in &a[1..] {
        let mut c = SQLContext::new();
        c.register("t", f.clone().lazy());
        let r = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| c.execute(q).and_then(|l| l.collect())));
        println!("{q}");
        match r {
            Ok(Ok(x)) => {
                for col in x.columns() {
                    let v: Vec<String> = col.as_materialized_series().iter().map(|v| v.to_string()).collect();
                    println!("   {} {:?} {}", col.name(), col.dtype(), v.join(" | "));
                }
            }
            Ok(Err(e)) => println!("ERR {e}"),
            Err(_) => println!("PANIC"),
        }
    }
}
