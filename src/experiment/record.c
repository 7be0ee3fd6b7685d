#include "experiment/record.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/text.h"

/* Labels have no unit; CF wants "1" for pure numbers only. */
#define LABEL(role, member, doc) \
    { \
#member, FIELD_STRING, offsetof(struct record, member), COLUMN_##role, "", doc, 0, 0 \
    }
#define COUNT(role, member, doc) \
    { \
#member, FIELD_COUNT, offsetof(struct record, member), COLUMN_##role, "1", doc, 0, 0 \
    }
#define REAL_SINCE(format, role, member, doc) \
    { \
#member, FIELD_REAL, offsetof(struct record, member), COLUMN_##role, "1", doc, format, 0 \
    }
/* A number of component k, and its uncertainty. */
#define OF_COMPONENT(k, name, member, role, doc, suffix, uncertainty, of_it) \
    {name "_" #k, FIELD_REAL, offsetof(struct record, member[k - 1].value), COLUMN_##role, "1", doc, 6, k}, \
    { \
        name "_" #k suffix, FIELD_REAL, offsetof(struct record, member[k - 1].error), COLUMN_##uncertainty, "1", \
            of_it, 6, k \
    }
#define MASS_ERROR(k) \
    OF_COMPONENT(k, "mass_error", mass_error, VALUE, \
                 "Relative error m_k of the mass of the component of that number (theory (21)): its mean posterior " \
                 "probability under q is w_k (1 + m_k); NaN where it is not known.", \
                 "_error", RADIUS, "Estimated radius of mass_error_k: the true value is expected within it.")
#define SAMPLED_MASS(k) \
    OF_COMPONENT( \
        k, "sampled_mass", estimates.mass, SAMPLED, \
        "Mass of the component of that number in the chains: the mean of its posterior probability at their end " \
        "points, which would be w_k; times chains, a count.", \
        "_se", STANDARD_ERROR, "Standard error of sampled_mass_k.")
#define SAMPLED_MASS_ERROR(k) \
    OF_COMPONENT(k, "sampled_mass_error", estimates.mass_error, SAMPLED, \
                 "Relative error of that mass, sampled_mass_k/w_k - 1.", "_se", STANDARD_ERROR, \
                 "Standard error of sampled_mass_error_k.")
#define ALL_MASSES(of) \
    of(1), of(2), of(3), of(4), of(5), of(6), of(7), of(8), of(9), of(10), of(11), of(12), of(13), of(14), of(15), \
        of(16)
_Static_assert(RECORD_MASSES == 16, "ALL_MASSES has them");
#define REAL(role, member, doc) REAL_SINCE(0, role, member, doc)

const struct quantity accuracy_quantities[] = {
    {"tv", "TV", offsetof(struct record, tv), 0.1, true},
    {"kl_p_q", "KL(p‖q)", offsetof(struct record, kl_p_q), 0.1, false},
    {"kl_q_p", "KL(q‖p)", offsetof(struct record, kl_q_p), 0.1, false},
    {"hellinger2", "H²", offsetof(struct record, hellinger2), 0.1, true},
    {"w2", "W2", offsetof(struct record, w2), HUGE_VAL, false},
    {"chi2_q_p", "χ²(q‖p)", offsetof(struct record, chi2_q_p), 0.1, false},
    {"planted_tv", "|Q − w|", offsetof(struct record, planted_tv), 0.1, true},
    {"planted_kl", "KL(w‖Q)", offsetof(struct record, planted_kl), 0.1, false},
    {"planted_bracket_tv", "|Q′ − w|", offsetof(struct record, planted_bracket_tv), 0.1, true},
    {NULL, NULL, 0, 0.0, false}};

const struct field record_fields[] = {
    LABEL(IDENTITY, target, "Name of the target distribution, as the experiment's file gives it."),
    LABEL(IDENTITY, sampler, "Name of the sampler."),
    LABEL(IDENTITY, score_error, "Shape of the score error that the sampler sees; \"none\" for exact scores."),
    LABEL(IDENTITY, score_error_spread,
          "How the score error is spread over coordinates: all, one, diagonal, or none."),
    LABEL(IDENTITY, score_error_profile,
          "How the size of the score error goes with the noise level; \"none\" without an error."),
    REAL(IDENTITY, score_error_size,
         "Size eps_score: the square root of the average over steps of E|error(X_t)|^2; 0 without one."),
    REAL(IDENTITY, score_error_growth,
         "Exponent g of a control, whose error is really eps_score T^g; 0 keeps the assumption."),
    LABEL(IDENTITY, schedule, "Name of the noise schedule."),
    COUNT(IDENTITY, dimension, "Dimension d of the space in which the target lives."),
    COUNT(IDENTITY, steps, "Number T of noise levels; the sampler makes T - 1 steps."),
    REAL(DERIVED, step_size,
         "Step size h of the schedule, the quantity that rates are powers of; c1 log(T)/T for li-cai."),
    COUNT(DERIVED, score_evaluations, "Number of score evaluations of the whole run: T - 1 times those of a step."),
    LABEL(DIAGNOSTIC, law,
          "Method by which the sampler's output law was computed, \"composed\" when d > 1 joins factors."),
    REAL(VALUE, tv, "Total variation distance between p, the law of X_1, and q, the law of Y_1."),
    REAL(RADIUS, tv_error, "Estimated radius of tv: the true value is expected within it, which is no proof."),
    REAL(VALUE, kl_p_q, "Kullback-Leibler divergence KL(p || q) in nats; NaN where it is not known."),
    REAL(RADIUS, kl_p_q_error,
         "Estimated radius of kl_p_q, in nats: the true value is expected within it, which is no proof."),
    REAL(VALUE, kl_q_p, "Kullback-Leibler divergence KL(q || p) in nats; NaN where it is not known."),
    REAL(RADIUS, kl_q_p_error,
         "Estimated radius of kl_q_p, in nats: the true value is expected within it, which is no proof."),
    REAL(
        VALUE, chi2_q_p,
        "Chi-squared divergence chi2(q || p), the integral of (q - p)^2/p; infinite where its radius is 0, above the "
        "largest double where that is infinite, too; NaN where it is not known."),
    REAL(RADIUS, chi2_q_p_error,
         "Estimated radius of chi2_q_p: the true value is expected within it, which is no proof."),
    REAL(VALUE, hellinger2, "Squared Hellinger distance between p and q; NaN where it is not known."),
    REAL(RADIUS, hellinger2_error,
         "Estimated radius of hellinger2: the true value is expected within it, which is no proof."),
    REAL_SINCE(4, VALUE, w2, "2-Wasserstein distance between p and q; NaN where it is not known."),
    REAL_SINCE(4, RADIUS, w2_error,
               "Estimated radius of w2: the true value is expected within it, which is no proof."),
    REAL(VALUE, error_effect, "Total variation distance between the laws of Y_1 with and without the score error."),
    REAL(RADIUS, error_effect_error,
         "Estimated radius of error_effect: the true value is expected within it, which is no proof."),
    REAL_SINCE(
        6, VALUE, planted_mass_error,
        "Relative error m_1 of a codeword's mass under its planted law, an annealed approximation (theory (25)); "
        "NaN of other laws."),
    REAL_SINCE(6, RADIUS, planted_mass_error_error,
               "Estimated radius of planted_mass_error, which holds both extremes of the bulk's weight."),
    REAL_SINCE(6, VALUE, planted_l1,
               "E|r_1 - 1|/2 over a codeword's own law, under its planted law; NaN of other laws."),
    REAL_SINCE(6, RADIUS, planted_l1_error,
               "Estimated radius of planted_l1, which holds both extremes of the bulk's weight."),
    REAL_SINCE(
        6, VALUE, planted_codewords_mass,
        "Mass Q that the sampler gives to all codewords, 1 - (1-w)^(1+m_1) with m_1 of their planted law (theory "
        "(26')); NaN of other laws."),
    REAL_SINCE(6, RADIUS, planted_codewords_mass_error,
               "Estimated radius of planted_codewords_mass, which holds both extremes of the bulk's weight."),
    REAL_SINCE(
        6, VALUE, planted_tv,
        "|Q - w|, which TV is at least: the error of the codewords' mass under their planted law; NaN of other "
        "laws."),
    REAL_SINCE(6, RADIUS, planted_tv_error,
               "Estimated radius of planted_tv, of the numerical errors alone: see planted_bracket_tv."),
    REAL_SINCE(
        6, VALUE, planted_kl,
        "KL of two coins of probabilities w and Q, which KL(p|q) is at least: the error of the codewords' mass under "
        "their planted law; NaN of other laws."),
    REAL_SINCE(6, RADIUS, planted_kl_error,
               "Estimated radius of planted_kl, of the numerical errors alone: see planted_codewords_mass_error."),
    REAL_SINCE(
        7, VALUE, planted_bracket_tv,
        "|Q' - w|, planted_tv at the other extreme of the bulk's weight, 1 - w in place of 1; NaN of other laws."),
    REAL_SINCE(7, RADIUS, planted_bracket_tv_error,
               "Estimated radius of planted_bracket_tv, of the numerical errors alone."),
    REAL_SINCE(
        6, DERIVED, crossing_eta,
        "K h d of a codebook, h the step in log-SNR where paths condense (theory (26)); NaN of other targets and "
        "where the schedule does not get there."),
    REAL_SINCE(
        6, VALUE, crossing_mass_error,
        "Relative error m_1 of a codeword's mass in the limit d -> infinity at this crossing_eta (theory (26)); NaN "
        "of a sampler that has no such limit law."),
    REAL_SINCE(6, RADIUS, crossing_mass_error_error, "Estimated radius of crossing_mass_error."),
    REAL(DIAGNOSTIC, clip_probability, "Bound on the probability that a clip taken as inactive acts in some step."),
    REAL(DIAGNOSTIC, mass_defect,
         "Largest |integral of q - 1| among the factors, a check of the quadrature; 0 for closed forms."),
    ALL_MASSES(MASS_ERROR),
    COUNT(IDENTITY, chains, "Number of chains simulated, and of pairs of paths; 0 for exact laws."),
    COUNT(DIAGNOSTIC, seed, "Seed of the chains' random numbers; 0 for exact laws."),
#define ESTIMATOR(member, quantity, role, method, since, doc) \
    {#member, FIELD_REAL, offsetof(struct record, estimates.member.value), COLUMN_SAMPLED, "1", doc ".", since, 0}, \
        {#member "_se", \
         FIELD_REAL, \
         offsetof(struct record, estimates.member.error), \
         COLUMN_STANDARD_ERROR, \
         "1", \
         "Standard error of " #member ".", \
         since, \
         0},
#include "sample/estimators.def"
#undef ESTIMATOR
    ALL_MASSES(SAMPLED_MASS),
    ALL_MASSES(SAMPLED_MASS_ERROR),
    {"effective_paths", FIELD_REAL, offsetof(struct record, estimates.effective), COLUMN_DIAGNOSTIC, "1",
     "Effective number of the paths' weights over their number.", 0, 0},
    {"codewords_mass", FIELD_REAL, offsetof(struct record, estimates.codewords_mass.value), COLUMN_SAMPLED, "1",
     "Mass Q of a codebook's codewords from chains: the mean of their posterior probability at Y_1; under p it is w.",
     6, 0},
    {"codewords_mass_se", FIELD_REAL, offsetof(struct record, estimates.codewords_mass.error), COLUMN_STANDARD_ERROR,
     "1", "Standard error of codewords_mass.", 6, 0},
    {"memorised", FIELD_REAL, offsetof(struct record, estimates.memorised.value), COLUMN_SAMPLED, "1",
     "Share of the chains that end within memorised_distance of a data point of a target `points`.", 6, 0},
    {"memorised_se", FIELD_REAL, offsetof(struct record, estimates.memorised.error), COLUMN_STANDARD_ERROR, "1",
     "Standard error of memorised.", 6, 0},
    {"memorised_distance", FIELD_REAL, offsetof(struct record, estimates.memorised_distance), COLUMN_DIAGNOSTIC,
     "length", "The distance between Y_1 and sqrt(alpha_bar_1) times a data point within which a chain is at it.", 6,
     0},
    {"seconds", FIELD_REAL, offsetof(struct record, seconds), COLUMN_TIMING, "s", "Wall time of the measurement.", 0,
     0},
    {NULL, FIELD_REAL, 0, COLUMN_TIMING, NULL, NULL, 0, 0},
};

const char *field_text(const struct field *field, const struct record *row)
{
    return (const char *)row + field->offset;
}

uint64_t field_count(const struct field *field, const struct record *row)
{
    uint64_t count;
    memcpy(&count, (const char *)row + field->offset, sizeof count);
    return count;
}

double field_real(const struct field *field, const struct record *row)
{
    double real;
    memcpy(&real, (const char *)row + field->offset, sizeof real);
    return real;
}

bool record_is_mass_error(size_t offset)
{
    static const struct {
        size_t first, count;
    } errors[] = {{offsetof(struct record, mass_error), RECORD_MASSES},
                  {offsetof(struct record, estimates.mass_error), RECORD_MASSES},
                  {offsetof(struct record, planted_mass_error), 1},
                  {offsetof(struct record, crossing_mass_error), 1}};
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
        if (offset >= errors[i].first && offset < errors[i].first + errors[i].count * sizeof(struct estimate))
            return true;
    return false;
}

struct estimate record_size(const struct record *row, size_t offset)
{
    struct estimate size;
    memcpy(&size, (const char *)row + offset, sizeof size);
    if (record_is_mass_error(offset))
        size.value = fabs(size.value);
    return size;
}

const struct field *record_field(const char *name)
{
    const struct field *field = record_fields;
    while (field->name != NULL && strcmp(field->name, name) != 0)
        field++;
    return field;
}

const struct field *record_field_at(size_t offset)
{
    const struct field *field = record_fields;
    while (field->name != NULL && field->offset != offset)
        field++;
    return field;
}

bool field_is_known(const struct field *field, const struct record *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!isnan(field_real(field, &rows[i])))
            return true;
    return false;
}

static int order_of_reals(double x, double y)
{
    if (isnan(x) || isnan(y)) /* one after all numbers, so that the order stays total */
        return (isnan(x) != 0) - (isnan(y) != 0);
    return (x > y) - (x < y);
}

static int order_of(const struct field *field, const struct record *a, const struct record *b)
{
    if (field->type == FIELD_STRING)
        return strcmp(field_text(field, a), field_text(field, b));
    if (field->type == FIELD_COUNT) {
        uint64_t x = field_count(field, a), y = field_count(field, b);
        return (x > y) - (x < y);
    }
    return order_of_reals(field_real(field, a), field_real(field, b));
}

int record_order_but(const struct record *a, const struct record *b, const struct field *but, const char *label)
{
    int order = 0;
    for (const struct field *field = record_fields; field->name != NULL && order == 0; field++)
        if (field->role == COLUMN_IDENTITY && (but == NULL || field->offset != but->offset)
            && (label == NULL || strcmp(field->name, label) != 0))
            order = order_of(field, a, b);
    for (size_t i = 0; i < PARAMETER_COLUMNS && order == 0; i++)
        if (but == NULL || but->offset != offsetof(struct record, parameter) + i * sizeof(double))
            order = order_of_reals(a->parameter[i], b->parameter[i]);
    return order;
}

int record_order(const struct record *a, const struct record *b)
{
    return record_order_but(a, b, NULL, NULL);
}

struct field parameter_field(const struct parameter_columns *columns, size_t index)
{
    return (struct field){columns->column[index].name,
                          FIELD_REAL,
                          offsetof(struct record, parameter) + index * sizeof(double),
                          COLUMN_IDENTITY,
                          "1",
                          columns->column[index].doc,
                          0,
                          0};
}

static size_t find_exact(const struct parameter_columns *columns, const char *name)
{
    size_t i = 0;
    while (i < columns->count && strcmp(columns->column[i].name, name) != 0)
        i++;
    return i;
}

size_t parameter_find(const struct parameter_columns *columns, const char *name)
{
    size_t found = find_exact(columns, name), length = strlen(name);
    if (found < columns->count)
        return found;
    for (size_t i = 0; i < columns->count; i++) {
        const char *other = columns->column[i].name;
        size_t more = strlen(other) > length ? strlen(other) - length : 0;
        if (more == 0 || other[more - 1] != '_' || strcmp(other + more, name) != 0)
            continue;
        if (found < columns->count)
            return columns->count;
        found = i;
    }
    return found;
}

size_t parameter_add(struct parameter_columns *columns, const char *name, const char *doc)
{
    size_t i = find_exact(columns, name);
    if (i < columns->count || i == PARAMETER_COLUMNS)
        return i;
    (void)snprintf(columns->column[i].name, sizeof columns->column[i].name, "%s", name);
    (void)snprintf(columns->column[i].doc, sizeof columns->column[i].doc, "%s", doc);
    text_tame(columns->column[i].doc, "");
    columns->count++;
    return i;
}

void parameters_move(struct record *row, const struct parameter_columns *from, const struct parameter_columns *to)
{
    const struct record old = *row;
    for (size_t i = 0; i < PARAMETER_COLUMNS; i++) {
        const size_t place = i < to->count ? find_exact(from, to->column[i].name) : from->count;
        row->parameter[i] = place < from->count ? old.parameter[place] : NAN;
    }
}

char *parameter_columns_write(const struct parameter_columns *columns)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    for (size_t i = 0; stream != NULL && i < columns->count; i++)
        fprintf(stream, "%s %s\n", columns->column[i].name, columns->column[i].doc);
    if (stream != NULL && fclose(stream) == 0)
        return text;
    free(text);
    return NULL;
}

enum status parameter_columns_parse(const char *text, struct parameter_columns *out, struct error *error)
{
    *out = (struct parameter_columns){.count = 0};
    while (*text != '\0') {
        char name[64] = "", doc[PARAMETER_DOC] = "";
        size_t length = strcspn(text, "\n"), word = strcspn(text, " \n");
        if (word < sizeof name && word < length)
            (void)snprintf(name, sizeof name, "%.*s", (int)word, text);
        (void)snprintf(doc, sizeof doc, "%.*s", (int)(length - word), text + word + (word < length));
        if (!text_is_name(name) || find_exact(out, name) < out->count
            || parameter_add(out, name, doc) == PARAMETER_COLUMNS)
            return fail_with(error, STATUS_IO, "\"%.80s\" is not a column of parameters", text);
        text += length + (text[length] == '\n');
    }
    return STATUS_OK;
}

void record_blank(struct record *row)
{
    const double unknown = NAN;
    for (const struct field *field = record_fields; field->name != NULL; field++)
        if (field->type == FIELD_REAL && field->role >= COLUMN_VALUE && field->role <= COLUMN_DIAGNOSTIC)
            memcpy((char *)row + field->offset, &unknown, sizeof unknown);
}

void record_fail(struct record *row, const char *reason)
{
    int cut = strlen(reason) >= sizeof row->failure;
    (void)snprintf(row->failure, sizeof row->failure, "%.*s%s", (int)(sizeof row->failure - (cut ? 4 : 1)), reason,
                   cut ? "..." : "");
    text_tame(row->failure, "");
}

void record_set_score_error(struct record *row, const struct score_error *error)
{
    int exact = error->shape == NULL;
    (void)snprintf(row->score_error, sizeof row->score_error, "%s", score_error_name(error));
    (void)snprintf(row->score_error_spread, sizeof row->score_error_spread, "%s",
                   exact ? "none" : error_spread_names[error->spread]);
    (void)snprintf(row->score_error_profile, sizeof row->score_error_profile, "%s",
                   exact ? "none" : error->profile->name);
    row->score_error_size = exact ? 0.0 : error->size;
    row->score_error_growth = exact ? 0.0 : error->growth;
}

void record_label_score_error(const struct score_error *error, char *text, size_t size)
{
    char params[200] = "", growth[40] = "";
    int used = 0;
    if (error->shape == NULL) {
        (void)snprintf(text, size, "none");
        return;
    }
    int uniform = strcmp(error->profile->name, "uniform") == 0;
    for (const struct param *param = error->shape->params; param != NULL && param->key != NULL; param++)
        if (used >= 0 && (size_t)used < sizeof params)
            used += snprintf(params + used, sizeof params - (size_t)used, " %s=%.6g", param->key,
                             param_number(param, &error->params));
    if (error->growth != 0.0)
        (void)snprintf(growth, sizeof growth, " growth=%.6g", error->growth);
    (void)snprintf(text, size, "%s %.6g%s %s%s%s%s", error->shape->name, error->size, params,
                   error_spread_names[error->spread], uniform ? "" : " ", uniform ? "" : error->profile->name,
                   growth);
}
