/* SPDX-License-Identifier: Apache-2.0 */
#include "store/sql.h"

/* Columns in the order in which event.c, challenge.c and cert.c read them. */
#define EVENT                                                                                      \
	"SELECT id, time, kind, endpoint, transaction_id, ca, serial, actor, reason, detail, hash" \
	" FROM event "
#define CHALLENGE                                                                                  \
	"SELECT handle, hash, endpoint, created, expires, created_by, subject, san, revoked,"      \
	" bound_to, used, source, reusable FROM challenge "
#define CERT                                                                                       \
	"SELECT cert.id, ca.name, generation, serial, profile, endpoint, transaction_id, subject," \
	" not_before, not_after, issued, der FROM cert JOIN ca ON ca.id = cert.ca "

#define REQUEST                                                                                    \
	"SELECT id, endpoint, transaction_id, key_hash, ca, profile, subject, subject_der, spki,"  \
	" exts, peer, created, expires, needed, state, decided, reason,"                           \
	" (SELECT count(*) FROM approval WHERE request = request.id),"                             \
	" (SELECT group_concat(actor, ', ') FROM approval WHERE request = request.id),"            \
	" generation FROM request "

/* ?1 tag, ?2 transactionID, ?3 after, ?4 limit. The two halves never meet: see schema/0001.sql. */
#define EVENTS_OF_TRANSACTION                                                                      \
	EVENT "WHERE transaction_tag = ?1 AND transaction_id = ?2 AND id > ?3 UNION ALL " EVENT    \
	      "WHERE id IN (SELECT id FROM cert WHERE transaction_tag = ?1 AND id > ?3)"           \
	      " AND transaction_id = ?2 "

/* ?1 tag, ?2 key tag, ?3 transactionID, ?4 endpoint, ?5 key hash */
#define OF_TRANSACTION                                                                             \
	"WHERE transaction_tag = ?1 AND key_tag = ?2 AND transaction_id = ?3 AND endpoint = ?4"    \
	" AND key_hash = ?5"
/* ?6 generation */
#define ISSUED OF_TRANSACTION " AND (generation = ?6 OR ?6 = 0)"
/* ?6 generation, ?7 what its successors begin with: they have its tag */
#define OF_SUCCESSION                                                                              \
	"WHERE transaction_tag = ?1 AND key_tag = ?2 AND endpoint = ?4 AND key_hash = ?5"          \
	" AND (transaction_id = ?3 OR substr(transaction_id, 1, length(?7)) = ?7)"                 \
	" AND (generation = ?6 OR ?6 = 0)"
/* ?6 generation, ?7 oldest */
#define QUEUED OF_TRANSACTION " AND (generation BETWEEN ?7 AND ?6 OR ?6 = 0)"

/* ?1 before, ?2 limit, ?3 ca, ?4 subject pattern, ?5 tag, ?6 transactionID, ?7 serial */
#define CERT_FILTER                                                                                \
	"WHERE cert.id < ?1 AND (?3 IS NULL OR ca.name = ?3)"                                      \
	" AND (?4 IS NULL OR subject LIKE ?4 ESCAPE '\\')"                                         \
	" AND (?6 IS NULL OR transaction_id = ?6) "
#define CERT_ORDER "ORDER BY cert.id DESC LIMIT ?2"

/* Of an import that is under way an entry does not count yet. */
#define COUNTS "import NOT IN (SELECT id FROM device_import)"
#define DEVICE                                                                                     \
	"SELECT id, list, type, value, once, note, created, created_by, bound_to, used FROM "      \
	"device "

#define BLOCKED_KEY "SELECT hash, time, actor, reason, ca, serial FROM blocked_key "

#define CA_NAMED "(SELECT id FROM ca WHERE name = ?1)"
/* ?2 generation, ?3 now */
#define PLANNED                                                                                    \
	"WHERE ca = " CA_NAMED " AND generation = ?2 AND began IS NULL"                            \
	" AND (begins > ?3 OR request IS NOT NULL)"
#define REVOKED                                                                                    \
	"SELECT serial, time, reason, invalid_since, not_after, changed FROM revocation"           \
	" WHERE ca = " CA_NAMED " AND (?4 = 0 OR generation = ?4)"
#define CRL                                                                                        \
	"SELECT crl.id, ca.name, scope, base, number, this_update, next_update, change, entries,"  \
	" size, sha256, crl.generation"
#define CRL_OF_KIND                                                                                \
	CRL " FROM crl JOIN ca ON ca.id = crl.ca WHERE crl.ca = " CA_NAMED                         \
	    " AND crl.generation = ?4 AND scope = ?2 AND (base IS NULL) = ?3"

/* ?1 hash, ?2 binding, ?3 now: free, or bound to just this transaction */
#define CHALLENGE_HOLDS                                                                            \
	"WHERE hash = ?1 AND revoked = 0 AND used = 0 AND expires > ?3"                            \
	" AND (bound_to IS NULL OR bound_to = ?2)"

static const char *const texts[SQL_COUNT_] = {
	[SQL_BEGIN] = "BEGIN IMMEDIATE",
	[SQL_COMMIT] = "COMMIT",
	[SQL_SAVEPOINT] = "SAVEPOINT job",
	[SQL_RELEASE] = "RELEASE job",
	[SQL_ROLLBACK_TO] = "ROLLBACK TO job",
	[SQL_TOUCH] = "PRAGMA application_id = 0x53636570", /* writes page 1, whatever was there */

	[SQL_ADD_EVENT] = "INSERT INTO event (time, kind, endpoint, transaction_tag,"
			  " transaction_id, ca, serial, actor, reason, detail, id, hash)"
			  " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
	[SQL_LAST_EVENT] = "SELECT id, hash FROM event ORDER BY id DESC LIMIT 1",
	[SQL_SET_EVENT_HASH] = "UPDATE event SET hash = ?2 WHERE id = ?1",
	[SQL_EVENTS] = EVENT "WHERE id > ?1 ORDER BY id LIMIT ?2",
	[SQL_EVENTS_NEWEST_FIRST] = EVENT "WHERE id > ?1 ORDER BY id DESC LIMIT ?2",
	[SQL_EVENTS_OF_TRANSACTION] = EVENTS_OF_TRANSACTION "ORDER BY id LIMIT ?4",
	[SQL_EVENTS_OF_TRANSACTION_NEWEST_FIRST] =
	    EVENTS_OF_TRANSACTION "ORDER BY id DESC LIMIT ?4",

	[SQL_ADD_CA] = "INSERT INTO ca (name, created) VALUES (?1, ?2)",
	[SQL_ADD_CA_KEY] = "INSERT INTO ca_key (ca, generation, role, key_id, cert)"
			   " SELECT id, ?2, ?3, ?4, coalesce(?5, x'') FROM ca WHERE name = ?1",
	[SQL_PUT_CA_KEY] = "INSERT INTO ca_key (ca, generation, role, key_id, cert)"
			   " SELECT id, ?2, ?3, ?4, ?5 FROM ca WHERE name = ?1"
			   " ON CONFLICT DO UPDATE SET key_id = ?4, cert = ?5",
	[SQL_CAS] = "SELECT id, name, created, last_generation FROM ca ORDER BY id",
	[SQL_CA_KEYS] = "SELECT role, generation, key_id, cert FROM ca_key WHERE ca = ?1"
			" ORDER BY generation, role",
	[SQL_ADD_GENERATION] = "INSERT INTO ca_generation (ca, generation, begins, request)"
			       " SELECT id, ?2, ?3, ?4 FROM ca WHERE name = ?1",
	[SQL_COMPLETE_GENERATION] =
	    "UPDATE ca_generation SET begins = ?3, request = NULL"
	    " WHERE ca = " CA_NAMED " AND generation = ?2 AND request IS NOT NULL",
	[SQL_BEGIN_GENERATION] = "UPDATE ca_generation SET began = ?3 WHERE ca = " CA_NAMED
				 " AND generation = ?2 AND began IS NULL",
	[SQL_NUMBER_GENERATION] = "UPDATE ca SET last_generation = max(last_generation, ?2)"
				  " WHERE name = ?1",
	[SQL_COUNT_GENERATIONS] = "SELECT count(*) FROM ca_generation WHERE ca = " CA_NAMED,
	[SQL_MOVE_GENERATION] = "UPDATE ca_generation SET begins = ?4 " PLANNED,
	[SQL_GENERATION_IS_ASKED] = "SELECT asked FROM ca_generation " PLANNED,
	[SQL_ASK_GENERATION] =
	    "UPDATE ca_generation SET asked = 1 WHERE ca = " CA_NAMED " AND generation = ?2",
	[SQL_DROP_GENERATION] = "DELETE FROM ca_generation " PLANNED,
	[SQL_DROP_CA_KEYS] = "DELETE FROM ca_key WHERE ca = " CA_NAMED " AND generation = ?2",
	[SQL_DROP_CA_CERTS] = "DELETE FROM ca_cert WHERE ca = " CA_NAMED " AND generation = ?2",
	[SQL_CA_GENERATIONS] = "SELECT generation, begins, began, request FROM ca_generation"
			       " WHERE ca = ?1 ORDER BY generation",
	[SQL_ADD_CA_CERT] = "INSERT INTO ca_cert (ca, generation, kind, place, cert)"
			    " VALUES (" CA_NAMED ", ?2, ?3, ?4, ?5)",
	[SQL_CA_CERTS] = "SELECT kind, generation, cert FROM ca_cert WHERE ca = ?1"
			 " ORDER BY generation, kind, place",

	[SQL_ADD_CHALLENGE] = "INSERT INTO challenge (handle, hash, endpoint, created, expires,"
			      " created_by, subject, san, source, reusable)"
			      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
	[SQL_COUNT_CHALLENGES] = "SELECT count(*) FROM challenge WHERE source = ?1 AND source <> ''"
				 " AND expires > ?2 AND used = 0 AND revoked = 0"
				 " AND bound_to IS NULL",
	[SQL_FIND_CHALLENGE] = CHALLENGE "WHERE hash = ?1",
	[SQL_REVOKE_CHALLENGE] = "UPDATE challenge SET revoked = 1 WHERE handle = ?1",
	[SQL_BIND_CHALLENGE] = "UPDATE challenge SET bound_to = ?2 " CHALLENGE_HOLDS
			       " AND bound_to IS NULL AND reusable = 0",
	[SQL_CONSUME_CHALLENGE] = "UPDATE challenge SET bound_to = iif(reusable, NULL, ?2),"
				  " used = iif(reusable, 0, ?3) " CHALLENGE_HOLDS,
	[SQL_CHALLENGES] = CHALLENGE "WHERE handle > ?1 AND (?3 IS NULL OR"
				     " (expires > ?3 AND used = 0 AND revoked = 0))"
				     " ORDER BY handle LIMIT ?2",
	[SQL_PURGE_CHALLENGES] = "DELETE FROM challenge WHERE id IN (SELECT id FROM challenge"
				 " WHERE expires < ?1 ORDER BY expires LIMIT ?2)",

	[SQL_BEGIN_IMPORT] = "INSERT INTO device_import (after)"
			     " SELECT coalesce(max(id), 0) FROM device",
	[SQL_END_IMPORT] = "DELETE FROM device_import WHERE id = ?1",
	[SQL_BROKEN_IMPORT] = "SELECT id, after FROM device_import LIMIT 1",
	[SQL_PURGE_IMPORT] = "DELETE FROM device WHERE id IN (SELECT id FROM device WHERE id > ?2"
			     " AND import = ?1 ORDER BY id LIMIT ?3)",
	[SQL_ADD_DEVICE] = "INSERT INTO device (list, type, key, value, once, note, created,"
			   " created_by, import) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
			   " ON CONFLICT DO NOTHING",
	[SQL_FIND_DEVICE] = DEVICE "WHERE id = ?1 AND " COUNTS,
	[SQL_MATCH_DEVICE] = DEVICE "WHERE key = ?1 AND list = ?2 AND type = ?3 AND " COUNTS,
	[SQL_REMOVE_DEVICE] = "DELETE FROM device WHERE id = ?1",
	[SQL_CONSUME_DEVICE] = "UPDATE device SET bound_to = ?2, used = ?3 WHERE id = ?1"
			       " AND (bound_to IS NULL OR bound_to = ?2)",
	[SQL_DEVICES] = DEVICE "WHERE id > ?1 AND " COUNTS " ORDER BY id LIMIT ?2",
	[SQL_DEVICES_BY_LIST] =
	    DEVICE "WHERE id > ?1 AND list = ?3 AND " COUNTS " ORDER BY id LIMIT ?2",
	[SQL_DEVICES_BY_KEY] = DEVICE "WHERE key = ?4 AND (?3 IS NULL OR list = ?3) AND id > ?1"
				      " AND " COUNTS " ORDER BY id LIMIT ?2",
	[SQL_DEVICE_LISTS] = "SELECT list, count(*), sum(once), sum(once AND used > 0)"
			     " FROM device WHERE " COUNTS " GROUP BY list",

	[SQL_COUNT_QUOTA] = "SELECT count(*) FROM (SELECT 1 FROM quota_use WHERE key = ?1"
			    " AND time > ?2 LIMIT ?3)",
	[SQL_ADD_QUOTA_USE] = "INSERT INTO quota_use (key, time, cert) VALUES (?1, ?2, ?3)",
	[SQL_PURGE_QUOTA_USES] = "DELETE FROM quota_use WHERE (key, time, cert) IN (SELECT key,"
				 " time, cert FROM quota_use WHERE time < ?1 ORDER BY time"
				 " LIMIT ?2)",

	[SQL_ADD_CERT] = "INSERT INTO cert (id, ca, generation, serial, profile, endpoint,"
			 " transaction_tag, key_tag, transaction_id, key_hash, subject,"
			 " not_before, not_after, issued, der) VALUES"
			 " (?1, (SELECT id FROM ca WHERE name = ?2), ?3, ?4, ?5, ?6,"
			 " ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
	[SQL_HAS_CERT] = "SELECT id FROM cert " ISSUED,
	[SQL_FIND_ISSUED] = CERT ISSUED " ORDER BY cert.id DESC LIMIT 1",
	[SQL_FIND_LATEST] = CERT OF_SUCCESSION " ORDER BY cert.id DESC LIMIT 1",
	[SQL_FIND_CERT] = CERT "WHERE serial = ?2 AND ca.name = ?1",
	[SQL_CERTS] = CERT CERT_FILTER CERT_ORDER,
	[SQL_CERTS_BY_SERIAL] = CERT CERT_FILTER "AND serial = ?7 " CERT_ORDER,
	[SQL_CERTS_BY_TRANSACTION] = CERT CERT_FILTER "AND transaction_tag = ?5 " CERT_ORDER,

	[SQL_ADD_REQUEST] =
	    "INSERT INTO request (endpoint, transaction_tag, key_tag,"
	    " transaction_id, key_hash, ca, profile, subject, subject_der, spki,"
	    " exts, peer, created, expires, needed, generation) VALUES (?1, ?2, ?3, ?4, ?5,"
	    " ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
	[SQL_FIND_REQUEST] = REQUEST "WHERE id = ?1",
	[SQL_FIND_REQUEST_OF] = REQUEST QUEUED " ORDER BY id DESC LIMIT 1",
	[SQL_OVERDUE_REQUEST] = REQUEST "WHERE state = 0 AND expires <= ?1 LIMIT 1",
	[SQL_REQUESTS] = REQUEST "WHERE id > ?1 AND (?3 = 0 OR state = 0) ORDER BY id LIMIT ?2",
	[SQL_COUNT_REQUESTS] = "SELECT count(*) FROM request WHERE state = 0 AND expires > ?1",
	[SQL_REQUEST_OF_GENERATION] = REQUEST "WHERE state = 0 AND ca = ?1 AND generation = ?2"
					      " LIMIT 1",
	[SQL_REQUEST_OF_KEY] = REQUEST "WHERE state = 0 AND key_hash = ?1 AND expires > ?2"
				       " LIMIT 1",
	[SQL_END_REQUEST] = "UPDATE request SET state = ?2, decided = ?3, reason = ?4"
			    " WHERE id = ?1 AND state = 0 AND (?2 = 3 OR expires > ?3)",
	[SQL_ADD_APPROVAL] = "INSERT INTO approval (request, actor, time) SELECT id, ?2, ?3"
			     " FROM request WHERE id = ?1 AND state = 0 AND expires > ?3",

	[SQL_FIND_BLOCKED_KEY] = BLOCKED_KEY "WHERE hash = ?1",
	[SQL_BLOCKED_KEYS] = BLOCKED_KEY "WHERE hash > coalesce(?1, x'') ORDER BY hash LIMIT ?2",
	[SQL_BLOCK_KEY] = "INSERT INTO blocked_key (hash, time, actor, reason, ca, serial)"
			  " VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING",
	[SQL_UNBLOCK_KEY] = "DELETE FROM blocked_key WHERE hash = ?1",
	/* keyCompromise and cACompromise; key_hash() is key_block.c's */
	[SQL_ADOPT_BLOCKED_KEYS] =
	    "INSERT INTO blocked_key (hash, time, actor, reason, ca, serial)"
	    " SELECT key_hash(cert.der) AS hash, revocation.time, coalesce(event.actor, ''),"
	    " iif(revocation.reason = 2, 'cACompromise', 'keyCompromise'), ca.name, cert.serial"
	    " FROM revocation JOIN cert ON cert.serial = revocation.serial"
	    " AND cert.ca = revocation.ca JOIN ca ON ca.id = cert.ca"
	    " JOIN event ON event.id = revocation.changed WHERE revocation.reason IN (1, 2)"
	    " AND hash IS NOT NULL ORDER BY 1, 2 ON CONFLICT DO NOTHING",

	[SQL_FIND_ALARM] = "SELECT raised FROM alarm WHERE name = ?1",
	[SQL_ADD_ALARM] = "INSERT INTO alarm (name, raised) VALUES (?1, ?2)",
	[SQL_DELETE_ALARM] = "DELETE FROM alarm WHERE name = ?1",

	[SQL_FIND_STATUS] = "SELECT cert.not_before, cert.not_after, reason, time, invalid_since,"
			    " cert.generation"
			    " FROM cert LEFT JOIN revocation USING (ca, serial)"
			    " WHERE cert.serial = ?2 AND cert.ca = " CA_NAMED,
	[SQL_PUT_REVOCATION] =
	    "INSERT INTO revocation (ca, serial, time, reason, invalid_since,"
	    " not_after, changed, generation) VALUES (" CA_NAMED ", ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
	    " ON CONFLICT DO UPDATE SET time = ?3, reason = ?4,"
	    " invalid_since = ?5, changed = ?7",
	[SQL_REVOKED] = REVOKED " AND serial > coalesce(?2, x'') ORDER BY serial LIMIT ?3",
	[SQL_REVOKED_BY_CHANGE] = REVOKED " AND changed > ?2 ORDER BY changed LIMIT ?3",
	[SQL_LAST_CHANGE] = "SELECT max(changed) FROM revocation WHERE ca = " CA_NAMED,

	[SQL_NEXT_CRL_NUMBER] = "INSERT INTO crl_number (ca, last) SELECT id, 1 FROM ca"
				" WHERE name = ?1 ON CONFLICT DO UPDATE SET last = last + 1"
				" RETURNING last",
	[SQL_ADD_CRL] = "INSERT INTO crl (id, ca, scope, base, number, this_update, next_update,"
			" change, entries, size, sha256, generation) VALUES (?1,"
			" (SELECT id FROM ca WHERE name = ?2), ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10,"
			" ?11, ?12)",
	[SQL_FIND_CRL] = CRL_OF_KIND " ORDER BY number DESC LIMIT 1",
	[SQL_FIND_CRL_NUMBER] = CRL_OF_KIND " AND number = ?5",
	[SQL_CRLS] = CRL
	", max(number) FROM crl JOIN ca ON ca.id = crl.ca"
	" WHERE ?1 IS NULL OR ca.name = ?1 GROUP BY crl.ca, crl.generation, scope, base IS NULL"
	" ORDER BY crl.ca, crl.generation, scope, base IS NULL DESC",

	[SQL_CHECK] = "PRAGMA quick_check(1)",
	[SQL_SKIP_CRL_NUMBERS] = "UPDATE crl_number SET last = last + ?1",
	[SQL_REVOKE_OPEN_CHALLENGES] = "UPDATE challenge SET revoked = 1 WHERE reusable = 0"
				       " AND bound_to IS NULL AND used = 0 AND expires > ?1",
};

const char *sql_text(enum sql id)
{
	return texts[id];
}
