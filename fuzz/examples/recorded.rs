//! The recording that an input of the target `answers` leaves behind, for `fuzz/seeds.py`.

use std::io::Read as _;

fn main() -> std::io::Result<()> {
    let mut data = Vec::new();
    std::io::stdin().read_to_end(&mut data)?;
    println!("{}", davy_fuzz::recorded(&data));
    Ok(())
}
