#include "law/cylinder/transfer.h"

#include <gsl/gsl_sf_gamma.h>
#include <math.h>

#include "core/memory.h"
#include "core/vmath.h"
#include "law/cylinder/tuning.h"

/* ---- The score ---- */

static void evaluate(const struct score *score, const struct level *level, size_t n, const double *x, double *out)
{
    const struct cylinder_oracle *oracle = (const struct cylinder_oracle *)score;
    size_t at = 0;
    while (at < oracle->levels && !level_equal(&oracle->density[at]->level, level))
        at++;
    if (at == oracle->levels)
        undeclared_note(oracle->undeclared, level, n, out);
    else if (at == 0 && x == oracle->known_x)
        for (size_t i = 0; i < n; i++)
            out[i] = oracle->known_score[i];
    else
        axis_level_evaluate(oracle->density[at], oracle->component, n / 2, x, NULL, out);
}

static void clip(const struct score *score, double radius, size_t n, double *correction)
{
    (void)score;
    for (size_t i = 0; i < n / 2; i++)
        if (hypot(correction[i], correction[n / 2 + i]) > radius)
            correction[i] = correction[n / 2 + i] = 0.0;
}

void cylinder_oracle_init(struct cylinder_oracle *oracle)
{
    oracle->base = (struct score){.evaluate = evaluate, .clip = clip};
    oracle->levels = 2;
}

/* ---- Coordinates ---- */

double cylinder_radius(double across, double z)
{
    return sqrt(fmax(across + 2.0 * sqrt(across) * z, 0.0));
}

double cylinder_coordinate(double across, double rho)
{
    double root = sqrt(across);
    return (rho - root) * (rho + root) / (2.0 * root);
}

/* For few coordinates the density of z grows without bound towards the axis, and is cut off. It only weighs the nodes
 * within a patch, whose mass is known exactly. */
double cylinder_log_density(double across, double u, double z)
{
    double half = 0.5 * across, square = fmax(across + 2.0 * sqrt(across) * z, 0.01), relative = square / across;
    double chi2 = half * (log(relative) + 1.0 - relative) - log(square) - 0.5 * log(4.0 * M_PI / across)
                  - log(gsl_sf_gammastar(half));
    return chi2 + log(2.0 * sqrt(across)) - 0.5 * u * u - 0.5 * log(2.0 * M_PI);
}

/* ---- Workspace ---- */

enum status cylinder_work_new(const struct sampler *sampler, struct cylinder_work *out, struct error *error)
{
    enum { BATCH_ARRAYS = 10, LINE_ARRAYS = 11 };
    size_t batch = CYLINDER_BATCH, line = CYLINDER_COLUMNS;
    *out = (struct cylinder_work){0};
    TRY(quadrature_table_new(&out->rules, ORDERS, error));
    out->block = sampler->work_arrays < 1000 ? array_new(
                     BATCH_ARRAYS * batch + LINE_ARRAYS * line + 2 * sampler->work_arrays * batch, sizeof *out->block)
                                             : NULL;
    if (out->block == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for the cylinder engine's workspace");
    double *next = out->block;
    double **arrays[] = {&out->x,         &out->score, &out->increment, &out->excess,
                         &out->log_ratio, &out->term,  &out->argument};
    static const size_t size[] = {2, 2, 2, 1, 1, 1, 1};
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++) {
        *arrays[i] = next;
        next += size[i] * batch;
    }
    double **lines[] = {&out->column.at,       &out->column.coordinate, &out->column.thrown,
                        &out->column.constant, &out->column.weight,     &out->row.at,
                        &out->row.coordinate,  &out->row.shift,         &out->row.constant,
                        &out->row.square,      &out->row.weight};
    for (size_t i = 0; i < LINE_ARRAYS; i++) {
        *lines[i] = next;
        next += line;
    }
    out->work = next;
    return patches_work_new(line, &out->patches, error);
}

void cylinder_work_free(struct cylinder_work *work)
{
    quadrature_table_free(&work->rules);
    patches_work_free(&work->patches);
    free(work->block);
    *work = (struct cylinder_work){0};
}

/* ---- The transfer ---- */

/* The component before and after the stage, and its own Gaussian chain, in which D = -s x with s = beta/V: given y
 * the point x has the variance S = v/(1 + Q), 1 + Q = (1 - s)^2 + v/V, and along the axis, where x is taken around a
 * y, the exponent's part in xi^2 is -(2s - s^2)/(1 + Q)/2. */
struct scale {
    double V, V_to, v, a, added, shrink, S, Q, growth; /* growth = log(V/(a^2 V')) */
};

static struct scale scale_of(const struct cylinder_transfer *transfer)
{
    const struct stage *stage = &transfer->stage;
    double V = transfer->from->variance[transfer->component], V_to = transfer->to->variance[transfer->component];
    double v = stage->noise, s = stage->moves ? stage->step->beta / V : 0.0, Q = v / V - 2.0 * s + s * s;
    return (struct scale){.V = V,
                          .V_to = V_to,
                          .v = v,
                          .a = stage->a,
                          .added = stage->added,
                          .shrink = s,
                          .S = v / (1.0 + Q),
                          .Q = Q,
                          .growth = log1p(stage->added / (stage->a * stage->a * V_to))};
}

/* Columns: all combinations of a node of the patch and one of the rule along the axis, x = a y + tau xi. Of log c
 * they have all that does not depend on D, which adds -D (tau xi + D/2)/v. */
static size_t make_columns(struct cylinder_work *work, const struct scale *scale, const struct patch *patch,
                           const struct patch_query *query)
{
    const struct quadrature *rule = &work->rules.order[query->order[0]];
    double tau = sqrt(scale->S), sd = sqrt(scale->V), sd_to = sqrt(scale->V_to), s = scale->shrink;
    double curvature = 0.5 * (s * s - 2.0 * s) / (1.0 + scale->Q);
    double constant = -0.5 * (log1p(scale->Q) + scale->growth);
    for (size_t l = 0; l < rule->n; l++)
        for (size_t i = 0; i < query->nx; i++) {
            size_t c = l * query->nx + i;
            double y = sd_to * (patch->centre[0] + patch->half * query->x[i]), xi = rule->node[l];
            work->column.at[c] = scale->a * y + tau * xi;
            work->column.coordinate[c] = work->column.at[c] / sd;
            work->column.thrown[c] = tau * xi;
            work->column.constant[c] = constant + 0.5 * y * (y / scale->V_to) * (scale->added / scale->V)
                                       + curvature * xi * xi - scale->a * y * (tau * xi / scale->V);
            work->column.weight[c] = rule->weight[l];
        }
    return rule->n * query->nx;
}

/* Rows: of each node y_j of the patch across the axis the nodes R = centre + tau xi of a rule. */
struct rows {
    size_t first[PATCH_MOST + 2]; /* of each y */
    double missing[PATCH_MOST];   /* 1 minus the sum of the weights, of a rule that ends at the axis */
    bool near;                    /* all rules end at the axis: in a patch all or none do, or its polynomial would
                                   * have to resolve the jump between the errors of the two kinds of rules */
};

/* Where the quadrature rule of one y lies: in the component's own Gaussian chain, given y, x_perp has the mean g
 * y_perp and the variance S in each of n coordinates. R = centre + tau xi = a rho (1 + shift + tau xi/(a rho)) with
 * centre^2 = g^2 rho^2 + (n - 1) S. */
struct place {
    double centre, tau, shift;
};

static struct place place_of(const struct scale *scale, double across, double rho)
{
    double g = scale->a * (1.0 - scale->shrink) / (1.0 + scale->Q), S = scale->S, rest = across - 1.0;
    double square = g * g * rho * rho + rest * S, reference = scale->a * rho, centre = sqrt(square);
    return (struct place){.centre = centre,
                          .tau = sqrt(S * (1.0 - 0.5 * rest * S / (square + S))),
                          .shift = ((g * g - scale->a * scale->a) * rho * rho + rest * S)
                                   / (reference * (centre + reference))};
}

/* Whether a rule around the patch's nearest point to the axis comes near it. */
static bool meets_axis(const struct cylinder_transfer *transfer, const struct cylinder_work *work,
                       const struct scale *scale, const struct patch *patch, size_t order)
{
    const struct quadrature *rule = &work->rules.order[order];
    double rho = cylinder_radius(transfer->across, patch->centre[1] - patch->half + transfer->shift);
    struct place place = place_of(scale, transfer->across, sqrt(scale->V_to) * rho);
    return rho * rho < CYLINDER_LEAST_SQUARE * transfer->across
           || place.centre < fmax(CYLINDER_CLEAR, rule->node[rule->n - 1] + 1.0) * place.tau;
}

/* A rule for the normal density on [from, CYLINDER_CUT_REACH], `from` the axis: Gauss-Legendre nodes in two pieces.
 */
static size_t cut_rule(const struct quadrature_table *rules, size_t order, double from, struct quadrature *out)
{
    double length = CYLINDER_CUT_REACH - from, wanted = 0.5 * (length * (1.6 + 0.16 * (double)order)) - 4.0;
    size_t index = wanted > 0.0 ? (size_t)wanted : 0;
    out->n = 0;
    quadrature_append(&rules->piece[index < ORDERS ? index : ORDERS - 1], 2, from, CYLINDER_CUT_REACH, out);
    return out->n;
}

/* Adds the rows of one y. Of log c, those away from the axis keep all that is large in relative changes (as
 * law/radial/transfer_noise.c): u = R/(a rho) - 1 and B = (a rho)^2. */
static void add_rows(const struct cylinder_transfer *transfer, struct cylinder_work *work, const struct scale *scale,
                     size_t order, size_t j, double rho, struct rows *rows)
{
    double node[CYLINDER_RULE], weight[CYLINDER_RULE], sd = sqrt(scale->V), total = 0.0, n = transfer->across;
    struct quadrature cut = {.node = node, .weight = weight};
    const struct quadrature *rule = &work->rules.order[order];
    struct place place = place_of(scale, n, rho);
    if (rows->near) {
        (void)cut_rule(&work->rules, order, fmax(-place.centre / place.tau, -CYLINDER_CUT_REACH), &cut);
        rule = &cut;
    }
    size_t first = rows->first[j];
    double y = 0.5 * rho * (rho / scale->V_to), root = sqrt(scale->v) / scale->a;
    double constant = -0.5 * n * scale->growth
                      + (rows->near ? y - n * log(scale->a) + log(place.tau / root) + 0.5 * log(2.0 * M_PI)
                                    : y * (scale->added / scale->V) + 0.5 * log(place.tau / scale->v * place.tau));
    for (size_t i = 0; i < rule->n; i++) {
        double xi = rule->node[i], u = place.shift + place.tau / (scale->a * rho) * xi;
        double R = rows->near ? place.centre + place.tau * xi : scale->a * rho * (1.0 + u);
        work->row.at[first + i] = R;
        work->row.coordinate[first + i] = cylinder_coordinate(n, R / sd) - transfer->shift;
        work->row.shift[first + i] = u;
        work->row.square[first + i] = rows->near ? rho : scale->a * rho * (scale->a * rho);
        work->row.weight[first + i] = rule->weight[i];
        work->row.constant[first + i] =
            constant + 0.5 * xi * xi + (rows->near ? -0.5 * R * (R / scale->V) + (n - 1.0) * log(R / root) : 0.0);
        total += rule->weight[i];
    }
    rows->missing[j] = rows->near ? 1.0 - total : 0.0;
    rows->first[j + 1] = first + rule->n;
}

/* The leaf before the stage that is nearest to a patch's centre. */
static size_t nearest_leaf(const struct patches *grid, const struct patch *patch)
{
    size_t nearest = 0;
    double smallest = HUGE_VAL;
    for (size_t p = 0; p < grid->count && smallest > 0.0; p++) {
        const struct patch *leaf = &grid->patch[p];
        double x = fmax(fabs(patch->centre[0] - leaf->centre[0]) - leaf->half, 0.0);
        double y = fmax(fabs(patch->centre[1] - leaf->centre[1]) - leaf->half, 0.0);
        nearest = x * x + y * y < smallest ? p : nearest;
        smallest = fmin(smallest, x * x + y * y);
    }
    return nearest;
}

/* Densities, scores, increments and log r before the stage, at all columns and the rows [first, first + count). */
static void fill_points(const struct cylinder_transfer *transfer, struct cylinder_work *work, size_t nearest,
                        size_t columns, size_t first, size_t count)
{
    size_t batch = columns * count;
    struct cylinder_oracle oracle = *transfer->oracle;
    for (size_t c = 0; c < columns; c++)
        for (size_t r = 0; r < count; r++) {
            work->x[c * count + r] = work->column.at[c];
            work->x[batch + c * count + r] = work->row.at[first + r];
        }
    axis_level_evaluate(transfer->from, transfer->component, batch, work->x, work->excess, work->score);
    for (size_t i = 0; !transfer->stage.moves && i < 2 * batch; i++)
        work->increment[i] = 0.0;
    if (transfer->stage.moves) {
        oracle.component = transfer->component;
        oracle.known_x = transfer->from == oracle.density[0] ? work->x : NULL;
        oracle.known_score = work->score;
        transfer->stage.sampler->increment(transfer->stage.step, &oracle.base, 2 * batch, work->x, work->increment,
                                           work->work);
    }
    patches_evaluate(transfer->grid, transfer->lobattos, 0, nearest, columns, work->column.coordinate, count,
                     work->row.coordinate + first, work->log_ratio, &work->patches);
    work->node_updates += batch;
}

/* The k >= -1 with the same |1 + k|, on which alone the kernel across the axis depends. */
static inline double reflected(double k)
{
    double other = -2.0 - k, folded = k > other ? k : other, least = -1.0 + 1e-12;
    return folded > least ? folded : least;
}

/* Adds -D (tau xi + D/2)/v along the axis and, across it with k = D/R, -B/2 (u (2 + u)/V + (u + k + u k)^2/v), where
 * |R + D| = a rho (1 + u + k + u k). Leaves the arguments of the Bessel function, and of log1p((u - k)/(1 + k)) the
 * numerator and, in `across`, the denominator. */
VECTOR_CLONES static void add_clear(const struct scale *of, size_t count, double constant, double thrown,
                                    const double *restrict row_constant, const double *restrict shift,
                                    const double *restrict square, const double *restrict R,
                                    const double *restrict along, double *restrict across, double *restrict value,
                                    double *restrict numerator, double *restrict argument)
{
    double inverse = 1.0 / of->V, inverse_noise = 1.0 / of->v;
    for (size_t r = 0; r < count; r++) {
        double k = reflected(across[r] / R[r]), u = shift[r], moved = u + k + u * k, B = square[r], D = along[r];
        value[r] += (constant + row_constant[r] - D * (thrown + 0.5 * D) * inverse_noise)
                    - 0.5 * B * (inverse * u * (2.0 + u) + inverse_noise * moved * moved);
        argument[r] = B * inverse_noise * (1.0 + moved);
        numerator[r] = u - k;
        across[r] = 1.0 + k;
    }
}

VECTOR_CLONES static void add(size_t n, const double *x, double *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] += x[i];
}

/* The exponents of all columns and the rows of y's that are away from the axis. */
static void exponents_clear(const struct cylinder_transfer *transfer, struct cylinder_work *work,
                            const struct scale *scale, size_t columns, size_t first, size_t count)
{
    size_t batch = columns * count;
    for (size_t c = 0; c < columns; c++) {
        size_t at = c * count;
        add_clear(scale, count, work->column.constant[c], work->column.thrown[c], work->row.constant + first,
                  work->row.shift + first, work->row.square + first, work->row.at + first, work->increment + at,
                  work->increment + batch + at, work->log_ratio + at, work->term + at, work->argument + at);
    }
    bessel_add_with_power(transfer->bessel, batch, work->argument, work->term, work->increment + batch,
                          work->log_ratio);
    add(batch, work->excess, work->log_ratio);
}

/* The same near the axis, where no term is large, and |R + D| = M. */
VECTOR_CLONES static void add_near(const struct scale *of, size_t count, double constant, double thrown,
                                   const double *restrict row_constant, const double *restrict rho,
                                   const double *restrict R, const double *restrict along,
                                   const double *restrict across, double *restrict value, double *restrict argument)
{
    double inverse_noise = 1.0 / of->v, a = of->a;
    for (size_t r = 0; r < count; r++) {
        double D = along[r], M = fabs(R[r] + across[r]), missed = a * rho[r] - M;
        argument[r] = a * rho[r] * M * inverse_noise;
        value[r] += constant + row_constant[r] - inverse_noise * (D * (thrown + 0.5 * D) + 0.5 * missed * missed);
    }
}

/* The exponents of the rows of y's whose rule ends at the axis. */
static void exponents_near(const struct cylinder_transfer *transfer, struct cylinder_work *work,
                           const struct scale *scale, size_t columns, size_t first, size_t count)
{
    size_t batch = columns * count;
    for (size_t c = 0; c < columns; c++) {
        size_t at = c * count;
        add_near(scale, count, work->column.constant[c], work->column.thrown[c], work->row.constant + first,
                 work->row.square + first, work->row.at + first, work->increment + at, work->increment + batch + at,
                 work->log_ratio + at, work->argument + at);
    }
    bessel_log_entire(transfer->bessel, batch, work->argument, work->term);
    add(batch, work->term, work->log_ratio);
    add(batch, work->excess, work->log_ratio);
}

/* r - 1 = sum_i w_i expm1(e_i), and where it has lost its digits, r below 1/2, by log-sum-exp. The rows are those of
 * the y's [j, j + some), and [first, first + count). */
static void average(const struct cylinder_work *work, const struct rows *rows, const struct patch_query *query,
                    size_t columns, size_t j, size_t some, double *log_ratio)
{
    size_t first = rows->first[j], count = rows->first[j + some] - first;
    vexpm1(columns * count, work->log_ratio, work->term);
    for (size_t i = 0; i < query->nx; i++)
        for (size_t k = j; k < j + some; k++) {
            double mean = -rows->missing[k], largest = -HUGE_VAL, total = 0.0;
            for (size_t c = i; c < columns; c += query->nx) {
                double sum = 0.0;
                for (size_t r = rows->first[k]; r < rows->first[k + 1]; r++)
                    sum += work->row.weight[r] * work->term[c * count + r - first];
                mean += work->column.weight[c] * sum;
            }
            double *out = &log_ratio[i * query->ny + k];
            *out = log1p(fmax(mean, -0.5));
            if (mean >= -0.5)
                continue;
            for (size_t c = i; c < columns; c += query->nx)
                for (size_t r = rows->first[k]; r < rows->first[k + 1]; r++)
                    largest = fmax(largest, work->log_ratio[c * count + r - first]);
            for (size_t c = i; c < columns; c += query->nx)
                for (size_t r = rows->first[k]; r < rows->first[k + 1]; r++)
                    total += work->column.weight[c] * work->row.weight[r]
                             * exp(work->log_ratio[c * count + r - first] - largest);
            *out = largest + log(total);
        }
}

/* The excess log(p/p_k) after the stage at the points of the patch, to be subtracted from every exponent. */
static void subtract_excess(const struct cylinder_transfer *transfer, struct cylinder_work *work,
                            const struct scale *scale, const struct patch *patch, const struct patch_query *query,
                            const double *rho, double *excess)
{
    size_t points = query->nx * query->ny;
    for (size_t i = 0; i < points; i++) {
        work->x[i] = sqrt(scale->V_to) * (patch->centre[0] + patch->half * query->x[i / query->ny]);
        work->x[points + i] = rho[i % query->ny];
    }
    axis_level_evaluate(transfer->to, transfer->component, points, work->x, excess, NULL);
}

void cylinder_transfer_apply(const struct cylinder_transfer *transfer, struct cylinder_work *work,
                             const struct patch *patch, const struct patch_query *query, double *log_ratio)
{
    struct scale scale = scale_of(transfer);
    struct rows rows = {.first = {0}, .missing = {0.0}};
    double rho[PATCH_MOST], excess[PATCH_MOST * PATCH_MOST];
    size_t columns = make_columns(work, &scale, patch, query), j = 0, some;
    rows.near = meets_axis(transfer, work, &scale, patch, query->order[1]);
    for (size_t k = 0; k < query->ny; k++) {
        double z = patch->centre[1] + patch->half * query->y[k] + transfer->shift;
        rho[k] = sqrt(scale.V_to) * cylinder_radius(transfer->across, z);
        add_rows(transfer, work, &scale, query->order[1], k, rho[k], &rows);
    }
    subtract_excess(transfer, work, &scale, patch, query, rho, excess);
    size_t nearest = nearest_leaf(transfer->grid, patch);
    for (; j < query->ny; j += some) {
        for (some = 1;
             j + some < query->ny && columns * (rows.first[j + some + 1] - rows.first[j]) <= CYLINDER_TOGETHER;)
            some++;
        size_t first = rows.first[j], count = rows.first[j + some] - first;
        fill_points(transfer, work, nearest, columns, first, count);
        (rows.near ? exponents_near : exponents_clear)(transfer, work, &scale, columns, first, count);
        for (size_t c = 0; c < columns; c++)
            for (size_t k = j; k < j + some; k++)
                for (size_t r = rows.first[k]; r < rows.first[k + 1]; r++)
                    work->log_ratio[c * count + r - first] -= excess[c % query->nx * query->ny + k];
        average(work, &rows, query, columns, j, some, log_ratio);
    }
}

void cylinder_correction(const struct cylinder_transfer *transfer, struct cylinder_work *work, size_t count,
                         const double *u, const double *z, double *norm)
{
    double sd = transfer->from->sd[transfer->component];
    for (size_t i = 0; i < count; i++) {
        work->x[i] = sd * u[i];
        work->x[count + i] = sd * fmax(cylinder_radius(transfer->across, z[i]), 1e-9);
    }
    struct cylinder_oracle oracle = *transfer->oracle;
    oracle.component = transfer->component;
    transfer->stage.sampler->correction(transfer->stage.step, &oracle.base, 2 * count, work->x, work->increment,
                                        work->work);
    for (size_t i = 0; i < count; i++)
        norm[i] = hypot(work->increment[i], work->increment[count + i]);
}
