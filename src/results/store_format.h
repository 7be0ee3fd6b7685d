/* What the writer and the reader of result files share: the seal, and how a field's cells are stored. */
#ifndef RESULTS_STORE_FORMAT_H
#define RESULTS_STORE_FORMAT_H

#include <hdf5.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/file.h"
#include "core/hash.h"
#include "core/status.h"
#include "experiment/record.h"
#include "results/store.h"

#define FORMAT "diffrate result"
#define SIGNATURE "\211HDF\r\n\032\n"
#define NO_FILE "/dev/null/diffrate" /* HDF5 looks for the files that it makes in memory on the disk too */
#define SEAL "\ndiffrate checksum "
enum {
    SEAL_LENGTH = 36,
    CELL = 8, /* bytes of the largest in memory, and of the smallest in a file */
    LABEL_SIZE = 64,
    CORE_STEP = 1 << 16, /* bytes by which a file in memory grows */
    SIEVE = 1 << 9,      /* bytes that HDF5 gathers of a dataset before it passes them on */
    STRIP = 1 << 14      /* bytes of strings at a time: it clears as many, by default a million, for every column */
};

_Static_assert(sizeof(char *) <= CELL && sizeof(double) == CELL, "a cell fits in CELL bytes");

/* What may differ between two runs of the same, apart from what is the same to the bit. */
#define CIRCUMSTANCES "circumstances"
static const char *const circumstances[] = {"command", "host", NULL};

/* Facts that are long: as datasets they stay out of the header that tools print. */
static const char *const long_facts[] = {"spec_text", "manifest", "plugins", "parameters",
                                         "failures",  "refusals", NULL};

static inline int is_among(const char *const *names, const char *name)
{
    while (*names != NULL && strcmp(*names, name) != 0)
        names++;
    return *names != NULL;
}

static const struct field row_field = {
    "row", FIELD_COUNT, 0, 0, "1", "Index of the measurement in this file.", 0, 0,
};

static inline void make_seal(const char *data, size_t length, char seal[SEAL_LENGTH + 1])
{
    (void)snprintf(seal, SEAL_LENGTH + 1, SEAL "%016" PRIx64 "\n", hash_bytes(data, length));
}

/* HDF5 refuses negative ids, so that of a chain of calls only the last need be checked. */
static inline void close_id(hid_t id)
{
    if (id >= 0)
        (void)H5Idec_ref(id);
}

static inline hid_t text_type(void)
{
    hid_t type = H5Tcopy(H5T_C_S1);
    if (H5Tset_size(type, H5T_VARIABLE) >= 0 && H5Tset_cset(type, H5T_CSET_UTF8) >= 0)
        return type;
    close_id(type);
    return H5I_INVALID_HID;
}

static inline hid_t cell_type(enum field_type type, hid_t text)
{
    return type == FIELD_STRING ? text : type == FIELD_COUNT ? H5T_NATIVE_UINT64 : H5T_NATIVE_DOUBLE;
}

static inline size_t cell_size(enum field_type type)
{
    return type == FIELD_STRING ? sizeof(char *) : CELL;
}

/* Reads the HDF5 content of a file, without its seal, in this process: a content that was made to harm may crash
 * HDF5. `path` only names it in messages. Errors and ownership as store_read, but names are not looked at. */
MUST_USE enum status store_parse(const char *path, const struct bytes *content, struct result *out,
                                 struct error *error);

#endif
