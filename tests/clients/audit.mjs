// The audits of graphql-http, and what each of them found.
import { auditServer } from "graphql-http";

const results = await auditServer({ url: process.env.ROWLOCK_URL });
console.log(JSON.stringify(results.map(({ name, status, reason }) => ({ name, status, reason }))));
