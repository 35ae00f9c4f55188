-- How routes lie in memory: flat C structs of one cache line, so that a request
-- touches few lines even with 100,000 hosts, and none of it is the garbage
-- collector's.
local ffi = require "ffi"

ffi.cdef [[
typedef struct {            /* one instance as one host reaches it, 64 bytes */
  const char *text;         /* its part of the access log's line */
  uint32_t text_len;
  uint32_t slot;            /* its counters, the same for all hosts */
  uint16_t port;
  uint8_t addr_len;
  char addr[45];
} aorta_instance;

typedef struct {            /* one release's instances */
  aorta_instance *first;
  uint32_t next;            /* whose turn it is */
  uint32_t size;
  uint32_t bound;           /* gets the points below it, of 65536 */
  uint32_t pad;
} aorta_group;

typedef struct {            /* what a request does not need */
  const char *text;         /* log part for answers without an instance */
  uint32_t text_len;
  uint32_t block;           /* size of the record's block */
  double epoch;
  double generation;
  aorta_instance *first;    /* all instances, also those without requests */
  uint32_t instances;
  uint32_t paused;
  const char *app_name;
  uint32_t app_name_len;
  uint32_t timeout;         /* seconds until an answer begins */
  double max_body;          /* bytes of a request's body; 0 for any */
  uint32_t idle_timeout;    /* seconds of silence */
  uint32_t releases;        /* with or without requests; 0: never deployed */
} aorta_cold;

typedef struct {            /* one record, 64 bytes, the start of its block */
  aorta_group only;         /* the group, where there is one */
  aorta_group *group;       /* the groups; at least three, the last repeated */
  const char *name;
  uint32_t hash;
  uint16_t name_len;
  uint16_t groups;          /* groups that get requests */
  uint32_t point;           /* walks over 65536 in even steps */
  uint16_t total;           /* instances that get requests */
  uint16_t special;         /* 1 when paused or with limits of its own */
  aorta_cold *cold;
} aorta_host;

typedef struct {            /* one place of the hash table */
  uint32_t hash;
  uint32_t used;            /* 1 also where a record was removed */
  aorta_host *host;
} aorta_entry;

typedef struct {            /* what the hot path reads first */
  aorta_entry *entries;
  uint32_t mask;
  uint32_t ejected;         /* instances not to choose at present */
  uint32_t duplex;          /* 1 once aorta.duplex has seen a plain request */
  uint32_t *counts;         /* by slot: requests in flight in this worker */
  double *ejected_until;    /* by slot: ejected until, seconds */
  uint32_t *free;           /* how many connections the worker has left */
  uint32_t scarce;          /* below so many they are shared out */
} aorta_table;

void *memchr(const void *p, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
uint32_t ngx_murmur_hash2(unsigned char *data, size_t len);
]]

assert(ffi.sizeof("aorta_instance") == 64 and ffi.sizeof("aorta_host") == 64)

-- The worker's one table; its arrays are owned by aorta.index and
-- aorta.flights.
return ffi.new("aorta_table")
