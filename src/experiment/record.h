/* What is stored of a measurement, and the one table of its fields from which the HDF5 writer and reader, the JSON
 * output and the documentation of the columns are made. */
#ifndef EXPERIMENT_RECORD_H
#define EXPERIMENT_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/score_error.h"
#include "sample/sample.h"

/* One measurement: one target, sampler, number of steps and dimension. Divergences are between p, the law of X_1, and
 * q, the law of Y_1; every *_error is an estimated radius: the true value is expected within value +- error. A row is
 * of an exact law (chains is 0, and all estimates are NaN) or of chains (and what only exact laws have is NaN). NaN
 * and a radius of NaN is a divergence that is not known: law/divergence.h. A measurement that failed is no row of a
 * result: its record says what was to be measured and why there is nothing. */
enum { FAILURE_SIZE = 400, RECORD_MASSES = MOST_MASSES };

/* Parameters that are columns of a result, called of the place of their descriptor and its key: those of schedules
 * and of the shapes of score errors, and what the experiment gives as lists of numbers. All are identities. */
enum { PARAMETER_COLUMNS = 16, PARAMETER_DOC = 300 };
struct parameter_column {
    char name[64]; /* schedule_c1, score_error_roughness, target_k, sampler_overshoot */
    char doc[PARAMETER_DOC];
};
struct parameter_columns {
    size_t count;
    struct parameter_column column[PARAMETER_COLUMNS];
};

/* What an accuracy can be of: a divergence, whose radius follows it in a record. */
struct quantity {
    const char *name, *label;
    size_t offset; /* into struct record */
    double window; /* fits use accuracies up to this, where the quantity is far from what it saturates at */
    bool bounded;  /* it is at most 1, and so are its accuracies */
};
extern const struct quantity accuracy_quantities[]; /* the first is TV; ends with name == NULL */

static inline const double *quantity_of(const struct quantity *quantity, const void *record)
{
    return (const double *)(const void *)((const char *)record + quantity->offset);
}

struct record {
    char target[64];
    char sampler[64];
    char score_error[64];        /* the shape, or "none" */
    char score_error_spread[64]; /* "all", "one", "diagonal"; "none" without an error, and so for the profile */
    char score_error_profile[64];
    double score_error_size;   /* eps_score of the whole vector; 0 without an error */
    double score_error_growth; /* of a control; 0 otherwise */
    char schedule[64];
    double parameter[PARAMETER_COLUMNS]; /* those of struct parameter_columns; NaN where the row has no such */
    uint64_t dimension;
    uint64_t steps;             /* T */
    double step_size;           /* h = c1 log(T)/T */
    uint64_t score_evaluations; /* in all: (T - 1) times those of a step */
    char law[64];               /* method: gaussian, line, with "composed" when d > 1 */
    double tv, tv_error;
    double kl_p_q, kl_p_q_error;
    double kl_q_p, kl_q_p_error;
    double chi2_q_p, chi2_q_p_error;
    double hellinger2, hellinger2_error;
    double w2, w2_error;
    double error_effect, error_effect_error;             /* TV between the laws with and without the score error */
    double planted_mass_error, planted_mass_error_error; /* of a planted law, theory (25): law/planted.h */
    double planted_l1, planted_l1_error;
    double planted_codewords_mass, planted_codewords_mass_error;
    double planted_tv, planted_tv_error;
    double planted_kl, planted_kl_error;
    double planted_bracket_tv, planted_bracket_tv_error;
    double crossing_eta; /* of its limit, theory (26): law/crossing.h */
    double crossing_mass_error, crossing_mass_error_error;
    double clip_probability;
    struct estimate
        mass_error[RECORD_MASSES]; /* m_k of theory (21), with its radius; NaN beyond the last component */
    double mass_defect;            /* the largest |integral of q - 1| among the factors */
    uint64_t chains;               /* simulated; 0: the row is of an exact law */
    uint64_t seed;
    struct estimates estimates; /* columns NAME and NAME_se, the standard error */
    double seconds;             /* wall time: stored in a group of its own, so that results compare bit for bit */
    char failure[FAILURE_SIZE]; /* "" or why the measurement failed, on one line; no column */
};

enum field_type { FIELD_STRING, FIELD_COUNT, FIELD_REAL };

/* What a column is to somebody who compares two results. */
enum column_role {
    COLUMN_IDENTITY, /* what was measured: no two rows of a result agree in all of these */
    COLUMN_DERIVED,  /* follows from the identity by arithmetic */
    COLUMN_VALUE,    /* of an exact law; its radius is the next column */
    COLUMN_RADIUS,
    COLUMN_SAMPLED, /* from chains; its standard error is the next column */
    COLUMN_STANDARD_ERROR,
    COLUMN_DIAGNOSTIC, /* how the values came about */
    COLUMN_TIMING      /* differs between runs of the same cell */
};

struct field {
    const char *name;
    enum field_type type;
    size_t offset; /* into struct record; FIELD_STRING: char[64], FIELD_COUNT: uint64_t, FIELD_REAL: double */
    enum column_role role;
    const char *unit; /* CF style; "1" for a pure number */
    const char *doc;  /* becomes long_name */
    int since;        /* the format of result files that first had it, of a FIELD_REAL; 0: all formats */
    size_t component; /* of mixtures, counted from 1, that it is of: stored where a row has a number; 0: always */
};

/* All but the parameter columns. Ends with name == NULL. */
extern const struct field record_fields[];

/* The field of this name, or at this offset in struct record; the one after all, of no name, where there is none. */
const struct field *record_field(const char *name);
const struct field *record_field_at(size_t offset);

/* The field of a parameter column. */
struct field parameter_field(const struct parameter_columns *columns, size_t index);

/* The index of the column of this name, or of the one whose name ends in _NAME if it is the only such one; `count` if
 * there is none. */
size_t parameter_find(const struct parameter_columns *columns, const char *name);

/* The same of an exact name, which is added if there is none; PARAMETER_COLUMNS where there is no room. */
size_t parameter_add(struct parameter_columns *columns, const char *name, const char *doc);

/* Moves a row's parameters from the columns `from` to those of `to` that have the same name; NaN in others. */
void parameters_move(struct record *row, const struct parameter_columns *from, const struct parameter_columns *to);

/* "NAME DOC\n" for each, for free(), NULL where memory runs out; and the reverse of a text that may come from
 * anybody. Errors: STATUS_IO with the line. */
char *parameter_columns_write(const struct parameter_columns *columns);
MUST_USE enum status parameter_columns_parse(const char *text, struct parameter_columns *out, struct error *error);

/* The record's member of a FIELD_STRING. */
const char *field_text(const struct field *field, const struct record *row);

/* The record's member of a FIELD_COUNT and of a FIELD_REAL. */
uint64_t field_count(const struct field *field, const struct record *row);
double field_real(const struct field *field, const struct record *row);

/* A number with the radius or the standard error that follows it, at an offset; of errors of masses, which have
 * either sign, the absolute value. */
struct estimate record_size(const struct record *row, size_t offset);
bool record_is_mass_error(size_t offset);

/* Whether some row has a number in the column. */
bool field_is_known(const struct field *field, const struct record *rows, size_t count);
/* No number of the result is known. */
void record_blank(struct record *row);

/* Makes of a record that says what was to be measured one of a measurement that failed. */
void record_fail(struct record *row, const char *reason);

/* Negative, 0 or positive as the identity of a comes before, is, or comes after that of b. */
int record_order(const struct record *a, const struct record *b);
/* The same, whatever the column `but` (of a parameter too) and the label of that name; each may be NULL. */
int record_order_but(const struct record *a, const struct record *b, const struct field *but, const char *label);

/* Fills the record's fields that tell the score error but for its shape's parameters. */
void record_set_score_error(struct record *row, const struct score_error *error);

/* A score error for people: "wave 0.01 w=8 one", or "none"; a profile other than uniform and a growth follow. */
void record_label_score_error(const struct score_error *error, char *text, size_t size);

#endif
