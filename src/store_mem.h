/* store_mem: where SQLite has its memory: a heap for each connection, in pages of its own. A
 * connection makes hundreds of small blocks; with its end its heap goes back to the system whole,
 * whatever else was allocated in between. Blocks of one class of sizes are used again and never
 * joined. One thread. */
#ifndef KLATCH_STORE_MEM_H
#define KLATCH_STORE_MEM_H

#include <stdbool.h>

struct store_heap;

/* Give SQLite its memory from here. Before sqlite3_initialize(). */
bool store_mem_configure(void);

struct store_heap *store_mem_open(void); /* NULL: no memory */
/* The heap goes with its last block. NULL is fine. */
void store_mem_close(struct store_heap *h);
/* What SQLite asks for from now on comes from this heap; NULL: from malloc(). */
void store_mem_use(struct store_heap *h);

#endif
