/* memory: what is done where memory ends in the middle of a run.
 *
 * Tables that grow with the packets can't hand an error up from there, and a result without some of
 * the packets would be wrong: the program ends with a message. Before the first packet and behind the last, lack
 * of memory is an error like any other. Any thread.
 */
#ifndef CORE_MEMORY_H
#define CORE_MEMORY_H

/* Says so on stderr and ends the program with exit status 1 at once: nothing is flushed, a
 * feed stays without its Close and so says that it is unfinished. Needs no memory. */
_Noreturn void memory_ended(void);

/* Readies the allocator for threads, before there are any: jemalloc makes an arena for them with their
 * first call, and takes it for granted where memory has ended by then. Ends the program where there is no
 * memory for it; does nothing without jemalloc. */
void memory_begin(void);

/* What an allocation returned, which is not NULL. */
static inline void *memory_must(void *p)
{
    if (!p)
        memory_ended();
    return p;
}

#endif
