// Makes the account that dumps are taken by: it may read everything that a dump needs, and change nothing. Run again, it
// changes nothing.
const { BACKUP_PASSWORD, MONGODB_ADMIN_PASSWORD } = process.env;
const admin = db.getSiblingDB("admin");
if (admin.auth("admin", MONGODB_ADMIN_PASSWORD).ok !== 1) quit(1);
if (!db.hello().isWritablePrimary) quit(db.hello().primary ? 0 : 1);
if (!admin.system.users.findOne({ user: "backup", db: "admin" })) {
  admin.createUser({ user: "backup", pwd: BACKUP_PASSWORD, roles: [{ role: "backup", db: "admin" }] });
}
