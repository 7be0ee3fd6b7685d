/* Parameters of families (targets, samplers): a family keeps them in a struct of its own, and a table of descriptors
 * says what its members are. The table is what reads them from an experiment's file, writes them to the keys of
 * results and says in `diffrate list` what they are. */
#ifndef MODEL_PARAMS_H
#define MODEL_PARAMS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum param_kind {
    PARAM_REAL,     /* double */
    PARAM_INTEGER,  /* size_t */
    PARAM_CHOICE,   /* size_t: the place of a word among `choices` */
    PARAM_REALS,    /* struct real_list: a non-empty list; or a number, which stands for as many of it as the group's
                       other lists have elements */
    PARAM_WEIGHTS,  /* struct real_list: the same, positive and summing to 1 within 1e-9; or the word `equal` */
    PARAM_POINTS,   /* struct point_list: a non-empty list of points, lists of equally many coordinates */
    PARAM_MATRICES, /* struct matrix_list: symmetric positive semidefinite matrices, as lists of rows, of the order of
                       the group's points: one, or one for each of them */
    PARAM_VARIANT,  /* size_t: the place among `variants` of the `kind` of a mapping, whose other keys are the params
                       of that variant, in the same struct */
    PARAM_TARGETS,  /* struct target_list: targets without a name, each with `copies: integer >= 1 | rest`, exactly
                       one `rest` */
    PARAM_FILE,     /* struct file_numbers: the numbers in a text file, a .npy file, or a dataset of an HDF5 file,
                       FILE:DATASET */
    PARAM_TABLE     /* struct number_table: rows of equally many numbers in such a file */
};

struct real_list {
    size_t count;
    double *value;
    double *log; /* of weights that depend on the dimension, which may be below the numbers' range; else NULL */
};

struct point_list {
    size_t count, width; /* coordinates of each */
    double *value;       /* point after point */
};

struct matrix_list {
    size_t count, order;
    double *entry; /* row-major, matrix after matrix */
};

struct file_numbers {
    size_t count;
    double *value;
};

struct number_table {
    size_t rows, columns;
    const double *value; /* row after row, borrowed; NULL: what is read back from results, of large tables */
    uint64_t hash;       /* of the numbers */
};

struct target_list {
    size_t count;
    struct target_part *part;
};

/* The numbers from least to most; either may be infinite, and does not belong to it then. Zeros: every number. */
struct range {
    double least, most;
    int open;           /* OPEN_BELOW, OPEN_ABOVE: without the end itself */
    const char *reason; /* of a bound that is not the mathematics'; NULL: none */
};
enum { OPEN_BELOW = 1, OPEN_ABOVE = 2, OPEN = OPEN_BELOW | OPEN_ABOVE };

#define AT_LEAST(bound) \
    { \
        bound, __builtin_inf(), 0, NULL \
    }
#define GREATER_THAN(bound) \
    { \
        bound, __builtin_inf(), OPEN_BELOW, NULL \
    }
#define FROM_TO(first, last) \
    { \
        first, last, 0, NULL \
    }

struct param {
    const char *key;
    enum param_kind kind;
    size_t offset; /* into the family's struct */
    const char *doc;
    int required;
    double standard;                /* where it is not given: a real, an integer, a choice or a variant */
    struct range range;             /* of reals, integers and the elements of lists of reals */
    int group;                      /* lists of a group > 0 have equally many elements */
    size_t width;                   /* coordinates that each point must have; 0: any number */
    const char *unit;               /* NULL: none */
    const char *const *choices;     /* ends with NULL */
    const struct variant *variants; /* ends with name == NULL */
};

struct variant {
    const char *name;
    const struct param *params; /* ends with key == NULL */
};

/* Room for the struct of any family. */
enum { PARAMS_SIZE = 256 };
union params {
    max_align_t align;
    unsigned char bytes[PARAMS_SIZE];
};

/* All functions take a table that ends with key == NULL, or NULL for none. */

/* The standard values; no lists. */
void params_init(const struct param *params, union params *values);
void params_free(const struct param *params, union params *values); /* their lists */

/* " KEY VALUES" for each, to 17 digits, in the table's order: equal texts mean equal values (of the numbers in a
 * file, how many there are and a hash of them, wherever it is). */
void params_describe(const struct param *params, const union params *values, FILE *file);

/* The descriptor of a key, of a variant's too; NULL if there is none. */
const struct param *params_find(const struct param *params, const char *key);

/* The value of a real or an integer; NaN of other kinds. */
double param_number(const struct param *param, const union params *values);

/* Bytes of a member of that kind; 0: there is no such kind. */
size_t param_size(enum param_kind kind);

int range_is_all(const struct range *range); /* every number */
int range_holds(const struct range *range, double value);
/* Such as "a number in (0, 1]". */
void range_text(const struct range *range, char *text, size_t size);

#endif
