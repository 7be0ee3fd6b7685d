#include "experiment/share.h"

#include "core/memory.h"

struct load {
    double cost;
    size_t share;
};

static int dearest_first(const void *a, const void *b)
{
    const struct piece *x = a, *y = b;
    if (x->cost != y->cost)
        return x->cost > y->cost ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

static int is_less(const struct load *a, const struct load *b)
{
    return a->cost < b->cost || (a->cost == b->cost && a->share < b->share);
}

/* Restores the heap, the least load at its top, after the top has grown. */
static void sink(struct load *heap, size_t count)
{
    for (size_t at = 0, least; 2 * at + 1 < count; at = least) {
        size_t right = 2 * at + 2;
        least = 2 * at + 1;
        if (right < count && is_less(&heap[right], &heap[least]))
            least = right;
        if (!is_less(&heap[least], &heap[at]))
            return;
        struct load grown = heap[at];
        heap[at] = heap[least];
        heap[least] = grown;
    }
}

enum status share_out(struct piece *pieces, size_t count, size_t shares, struct error *error)
{
    struct load *heap = array_new(shares, sizeof *heap);
    if (heap == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for %zu shares", shares);
    for (size_t i = 0; i < shares; i++)
        heap[i].share = i;
    qsort(pieces, count, sizeof *pieces, dearest_first);
    for (size_t i = 0; i < count; i++) {
        pieces[i].share = heap[0].share;
        heap[0].cost += pieces[i].cost;
        sink(heap, shares);
    }
    free(heap);
    return STATUS_OK;
}
