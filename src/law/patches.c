#include "law/patches.h"

#include "core/memory.h"

enum { MOST_PATCHES = 200000 };

void patches_free(struct patches *patches)
{
    free(patches->patch);
    free(patches->cell);
    *patches = (struct patches){0};
}

enum status patches_append(struct patches *patches, const struct patch *patch, struct error *error)
{
    struct patch *grown = patches->count < MOST_PATCHES
                              ? array_reserve(patches->patch, &patches->capacity, patches->count + 1, sizeof *grown)
                              : NULL;
    if (grown == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for more than %zu patches", patches->count);
    patches->patch = grown;
    patches->patch[patches->count++] = *patch;
    return STATUS_OK;
}

struct patch patch_quarter(const struct patch *patch, unsigned right, unsigned upper)
{
    struct patch quarter = *patch;
    quarter.depth++;
    quarter.at[0] = 2 * patch->at[0] + right;
    quarter.at[1] = 2 * patch->at[1] + upper;
    return quarter;
}

enum status patches_cover(const struct patch_domain *domain, const void *context, struct patch_root root, double side,
                          size_t order, struct patches *out, struct error *error)
{
    struct patches pending = {0};
    out->count = 0;
    out->root = root;
    const struct patch whole = {.depth = 0, .nodes = {8, 8}, .next = {8, 8}, .order = {order, order}};
    enum status status;
    TRY_OR(done, patches_append(&pending, &whole, error));
    while (pending.count > 0) {
        struct patch patch = pending.patch[--pending.count];
        domain->place(context, &patch, &out->root);
        if (!domain->covers(context, &patch))
            continue;
        if (patch.depth >= 2 && 2.0 * patch.half <= side * domain->scale(context, &patch)) {
            TRY_OR(done, patches_append(out, &patch, error));
            continue;
        }
        if (patch.depth == PATCH_MOST_DEPTH)
            TRY_OR(done,
                   fail_with(error, STATUS_NUMERIC, "the scales of a mixture are too far apart for a quadtree"));
        for (unsigned i = 0; i < 4; i++) {
            struct patch quarter = patch_quarter(&patch, i / 2, i % 2);
            TRY_OR(done, patches_append(&pending, &quarter, error));
        }
    }
done:
    patches_free(&pending);
    return status;
}

/* ---- The tree ---- */

static enum status add_cell(struct patches *patches, uint32_t *out, struct error *error)
{
    struct patches_cell *grown = patches->cells < UINT32_MAX ? array_reserve(patches->cell, &patches->cell_capacity,
                                                                             patches->cells + 1, sizeof *grown)
                                                             : NULL;
    if (grown == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for a tree of more than %zu cells", patches->cells);
    patches->cell = grown;
    patches->cell[patches->cells] = (struct patches_cell){.leaf = NO_LEAF};
    *out = (uint32_t)patches->cells++;
    return STATUS_OK;
}

enum status patches_index(struct patches *patches, struct error *error)
{
    uint32_t at;
    patches->cells = 0;
    TRY(add_cell(patches, &at, error));
    for (size_t p = 0; p < patches->count; p++) {
        const struct patch *patch = &patches->patch[p];
        at = 0;
        for (int bit = patch->depth - 1; bit >= 0; bit--) {
            uint64_t right = patch->at[0] >> bit & 1, upper = patch->at[1] >> bit & 1;
            uint32_t next = patches->cell[at].child[right][upper];
            if (next == 0) {
                TRY(add_cell(patches, &next, error));
                patches->cell[at].child[right][upper] = next;
            }
            at = next;
        }
        patches->cell[at].leaf = (uint32_t)p + 1;
    }
    return STATUS_OK;
}

enum status patches_copy(const struct patches *from, struct patches *to, struct error *error)
{
    to->count = 0;
    to->factor = from->factor;
    to->root = from->root;
    for (size_t p = 0; p < from->count; p++)
        TRY(patches_append(to, &from->patch[p], error));
    return patches_index(to, error);
}

void patches_shrink(struct patches *patches)
{
    for (;;) {
        for (size_t p = 0; p < patches->count; p++) {
            const struct patch *patch = &patches->patch[p];
            if (patch->depth < 4)
                return;
            for (int i = 0; i < 2; i++) {
                uint64_t quarter = patch->at[i] >> (patch->depth - 2);
                if (quarter != 1 && quarter != 2)
                    return;
            }
        }
        if (patches->count == 0)
            return;
        for (size_t p = 0; p < patches->count; p++) {
            struct patch *patch = &patches->patch[p];
            for (int i = 0; i < 2; i++)
                patch->at[i] -= UINT64_C(1) << (patch->depth - 2);
            patch->depth--;
        }
        patches->root.half *= 0.5;
    }
}
