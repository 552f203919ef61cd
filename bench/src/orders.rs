//! Orders to send: alike in size, different in content.

pub fn order(number: u64) -> String {
    format!(
        r#"{{"shopItems":[{{"id":"{number}","title":"Green tea {number}","description":"Loose leaf, first flush, {number} g","quantity":2,"price":12.5}},{{"id":"2","title":"Teapot","description":"Cast iron, black","quantity":1,"price":34.99}}],"accountEmail":"customer{number}@example.com","deliveryAddress":"{number} Main Street, Springfield"}}"#
    )
}
