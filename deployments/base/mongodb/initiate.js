// Makes the replica set, and the account of the order service, which may read and write its own database and nothing
// else. Run beside the first member, where MongoDB lets in somebody who has no account as long as there is none. Run
// again, it changes nothing; with more members than before, it takes them in.
const { HIGHBEAM_PASSWORD, MONGODB_ADMIN_PASSWORD, MONGODB_MEMBERS, MONGODB_SERVICE } = process.env;
const hosts = [...Array(Number(MONGODB_MEMBERS)).keys()].map((n) => `mongodb-${n}.${MONGODB_SERVICE}:27017`);
const admin = db.getSiblingDB("admin");

function signIn() {
  try {
    return admin.auth("admin", MONGODB_ADMIN_PASSWORD).ok === 1;
  } catch {
    return false;
  }
}

const known = signIn();
try {
  rs.status();
} catch (error) {
  if (error.codeName !== "NotYetInitialized") throw error;
  rs.initiate({ _id: "rs0", members: [{ _id: 0, host: hosts[0] }] });
}
while (!db.hello().isWritablePrimary) {
  // Another member leads: what follows is there already, or is done when this one leads again.
  if (db.hello().primary) quit(known ? 0 : 1);
  sleep(500);
}
if (!known) {
  admin.createUser({ user: "admin", pwd: MONGODB_ADMIN_PASSWORD, roles: ["root"] });
  if (!signIn()) throw new Error("the account admin was made and does not let in");
}
if (!admin.system.users.findOne({ user: "highbeam", db: "delivery" })) {
  const roles = [{ role: "readWrite", db: "delivery" }];
  db.getSiblingDB("delivery").createUser({ user: "highbeam", pwd: HIGHBEAM_PASSWORD, roles });
}
const present = rs.conf().members.map((member) => member.host);
hosts.filter((host) => !present.includes(host)).forEach((host) => rs.add(host));
