// Run once, when the database is made, by the image's entry point: the account of the order service, which may read
// and write its own database and nothing else.
const password = process.env.HIGHBEAM_PASSWORD;
if (!password) throw new Error("HIGHBEAM_PASSWORD is not set: run deployments/compose/secrets.sh");
db.getSiblingDB("delivery").createUser({ user: "highbeam", pwd: password, roles: [{ role: "readWrite", db: "delivery" }] });
