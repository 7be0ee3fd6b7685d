#include "sample/chains.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "core/memory.h"
#include "core/random.h"
#include "core/vmath.h"
#include "sample/chain_target.h"

/* What random numbers are for: the last word of their counter. Forward paths add FORWARD_APART for the second. */
enum {
    START,
    AFTER,
    BEFORE,
    DRAW,
    DRAW_COMPONENT,
    PATH_DRAW,
    PATH_COMPONENT,
    FORWARD,
    MIDDLE,
    FORWARD_APART,
    STEP_DRAW = 2 * FORWARD_APART + 2 /* above all of the forward paths' */
};

/* An increment evaluated twice, in another order of chains, may differ by this part of the largest. */
#define ORDER_TOLERANCE 1e-10

/* Chains at a time: a multiple of JOINT_POINTS; all arrays of a batch stay in the second-level cache. */
enum { LEAST_BATCH = 64, MOST_BATCH = 1024, BATCH_NUMBERS = 8192 };

static size_t batch_size(size_t dimension)
{
    size_t fits = BATCH_NUMBERS / dimension / LEAST_BATCH * LEAST_BATCH;
    return fits < LEAST_BATCH ? LEAST_BATCH : fits > MOST_BATCH ? MOST_BATCH : fits;
}

/* What a thread needs for a batch: all of dimension x chains numbers, but for `sums`. */
struct batch {
    const struct chain_problem *problem;
    struct random_key key;
    struct chain_target target;
    size_t first, chains; /* of this batch */
    double *x, *increment, *work, *noise, *middle, *memory;
    double *sums;      /* 2 x chains */
    double *backwards; /* 2 + memory of dimension x chains, for samplers that are not regular */
    size_t mixes;      /* the step in which the increment does not act chain by chain, or 0 */
};

static enum status batch_new(const struct chain_problem *problem, struct batch *out, struct error *error)
{
    size_t chains = batch_size(problem->dimension), d = problem->dimension, own = problem->sampler->work_arrays,
           kept = problem->sampler->memory, arrays = 5 + own + kept + (problem->sampler->regular ? 0 : 2 + kept);
    *out = (struct batch){.problem = problem, .key = random_key_of(problem->seed, problem->stream), .chains = chains};
    enum status status = chain_target_new(problem->list, problem->sampler, problem->score_error, problem->schedule,
                                          chains, &out->target, error);
    if (status != STATUS_OK)
        return status;
    size_t size = d * chains; /* chain_target_new found that this fits */
    double *block = size < SIZE_MAX / sizeof(double) / (arrays + 1) ? array_new(arrays * size, sizeof *block) : NULL;
    out->sums = array_new(2 * chains, sizeof(double));
    out->x = block;
    if (block == NULL || out->sums == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for %zu chains in dimension %zu", chains, d);
    out->increment = block + size;
    out->noise = block + 2 * size;
    out->middle = block + 3 * size;
    out->work = block + 4 * size;
    out->memory = kept > 0 ? block + (5 + own) * size : NULL;
    out->backwards = block + (5 + own + kept) * size;
    return STATUS_OK;
}

static void batch_free(struct batch *batch)
{
    chain_target_free(&batch->target);
    free(batch->x);
    free(batch->sums);
}

static void normals(const struct batch *batch, uint32_t purpose, size_t step, double *out)
{
    random_normals((struct random_block){batch->key, purpose, (uint32_t)step, batch->first, batch->chains, 0,
                                         batch->problem->dimension, batch->chains},
                   out);
}

static void uniforms(const struct batch *batch, uint32_t purpose, double *out)
{
    random_uniforms((struct random_block){batch->key, purpose, 0, batch->first, batch->chains, 0,
                                          batch->problem->dimension, batch->chains},
                    out);
}

/* x + scale y */
VECTOR_CLONES static void add_scaled(size_t n, double scale, const double *y, double *x)
{
    for (size_t i = 0; i < n; i++)
        x[i] += scale * y[i];
}

/* (x + D) scale + sd z */
VECTOR_CLONES static void move(size_t n, double scale, double sd, const double *increment, const double *z, double *x)
{
    for (size_t i = 0; i < n; i++)
        x[i] = (x[i] + increment[i]) * scale + sd * z[i];
}

/* x scale + sd z */
VECTOR_CLONES static void noise_up(size_t n, double scale, double sd, const double *z, double *x)
{
    for (size_t i = 0; i < n; i++)
        x[i] = x[i] * scale + sd * z[i];
}

static struct step step_at(const struct batch *batch, size_t t)
{
    struct step step = sampler_step(batch->problem->sampler, batch->problem->schedule, t);
    step.clip = sampler_clip(batch->problem->dimension, batch->problem->schedule->T);
    step.memory = batch->memory;
    return step;
}

static void reverse(size_t d, size_t chains, const double *x, double *out)
{
    for (size_t i = 0; i < d; i++)
        for (size_t j = 0; j < chains; j++)
            out[i * chains + j] = x[i * chains + chains - 1 - j];
}

/* Evaluated again with the chains in reversed order, from the memory that reverse_memory kept: no chain may depend on
 * the others. */
static bool acts_chain_by_chain(const struct batch *batch, const struct step *step)
{
    size_t d = batch->problem->dimension, size = d * batch->chains;
    double *x = batch->backwards, *D = x + size, largest = 0.0, farthest = 0.0;
    struct step again = *step;
    again.memory = batch->memory != NULL ? D + size : NULL;
    reverse(d, batch->chains, batch->x, x);
    batch->problem->sampler->increment(&again, &batch->target.base, size, x, D, batch->work);
    reverse(d, batch->chains, D, x);
    for (size_t i = 0; i < size; i++) {
        largest = fmax(largest, fabs(batch->increment[i]));
        farthest = fmax(farthest, fabs(batch->increment[i] - x[i]));
    }
    return farthest <= ORDER_TOLERANCE * largest;
}

static void reverse_memory(const struct batch *batch)
{
    size_t d = batch->problem->dimension, size = d * batch->chains;
    for (size_t k = 0; k < batch->problem->sampler->memory; k++)
        reverse(d, batch->chains, batch->memory + k * size, batch->backwards + (2 + k) * size);
}

/* D of the batch. What a sampler that is not regular does is looked at in the first batch. */
static void make_increment(struct batch *batch, const struct step *step)
{
    size_t size = batch->problem->dimension * batch->chains;
    bool looks = !batch->problem->sampler->regular && batch->first == 0 && batch->mixes == 0;
    if (looks)
        reverse_memory(batch);
    batch->problem->sampler->increment(step, &batch->target.base, size, batch->x, batch->increment, batch->work);
    if (looks && !acts_chain_by_chain(batch, step))
        batch->mixes = step->t;
}

/* Each chain draws one node of sampler_draws. The increment of the whole batch is evaluated for every node, and each
 * chain takes that of its own. */
static void make_random_increment(struct batch *batch, struct step *step)
{
    size_t d = batch->problem->dimension, chains = batch->chains;
    double draw[SAMPLER_DRAWS], weight[SAMPLER_DRAWS], *uniform = batch->sums, below = 0.0;
    size_t count = sampler_draws(batch->problem->sampler, draw, weight);
    random_uniforms(
        (struct random_block){batch->key, STEP_DRAW, (uint32_t)step->t, batch->first, chains, 0, 1, chains}, uniform);
    for (size_t k = 0; k < count; k++, below += weight[k - 1]) {
        double above = k + 1 < count ? below + weight[k] : 1.0;
        step->draw = draw[k];
        chain_target_set_others(&batch->target, step);
        batch->problem->sampler->increment(step, &batch->target.base, d * chains, batch->x, batch->middle,
                                           batch->work);
        for (size_t i = 0; i < d; i++)
            for (size_t j = 0; j < chains; j++)
                if (uniform[j] >= below && uniform[j] < above)
                    batch->increment[i * chains + j] = batch->middle[i * chains + j];
    }
}

/* Y_t to Y_{t-1}, theory (5), (12). */
static void advance(struct batch *batch, size_t t)
{
    const struct sampler *sampler = batch->problem->sampler;
    struct step step = step_at(batch, t);
    size_t size = batch->problem->dimension * batch->chains;
    double sd = 0.0, scale = exp(-0.5 * step.log_alpha);
    chain_target_set(&batch->target, t);
    double before = sampler_noise_before(sampler, &step), after = sampler_noise_after(sampler, &step);
    if (before > 0.0) {
        normals(batch, BEFORE, t, batch->noise);
        add_scaled(size, sqrt(before), batch->noise, batch->x);
    }
    if (sampler->draws > 0)
        make_random_increment(batch, &step);
    else
        make_increment(batch, &step);
    if (after > 0.0) {
        sd = scale * sqrt(after);
        normals(batch, AFTER, t, batch->noise);
    }
    move(size, scale, sd, batch->increment, batch->noise, batch->x);
}

/* N(0, I), in positions of the chains' target. */
static void start(struct batch *batch)
{
    size_t size = batch->problem->dimension * batch->chains;
    normals(batch, START, 0, batch->x);
    memset(batch->increment, 0, size * sizeof *batch->increment);
    chain_target_make_absolute(&batch->target, FROM, batch->increment);
    add_scaled(size, -1.0, batch->increment, batch->x);
}

static void simulate(struct batch *batch)
{
    size_t T = batch->problem->schedule->T;
    chain_target_set(&batch->target, T);
    start(batch);
    if (batch->memory != NULL)
        memset(batch->memory, 0,
               batch->problem->sampler->memory * batch->problem->dimension * batch->chains * sizeof *batch->memory);
    for (size_t t = T; t >= 2 && !batch->target.undeclared->asked; t--)
        advance(batch, t);
}

static void draw(struct batch *batch, uint32_t purpose)
{
    chain_target_set(&batch->target, 2);
    normals(batch, purpose, 0, batch->noise);
    uniforms(batch, purpose + 1, batch->increment);
    chain_target_draw(&batch->target, TO, batch->increment, batch->noise, batch->x);
}

static void draw_sample(struct batch *batch)
{
    draw(batch, DRAW);
}

/* Absolute positions and log-densities of the batch into the output, as many as it wants. */
static bool keep(struct batch *batch, struct points *out)
{
    size_t count = out->n - batch->first < batch->chains ? out->n - batch->first : batch->chains;
    bool finite = true;
    chain_target_log_density(&batch->target, batch->x, batch->sums);
    chain_target_make_absolute(&batch->target, TO, batch->x);
    for (size_t j = 0; j < count; j++)
        finite &= isfinite(batch->sums[j]) != 0;
    memcpy(out->log_density + batch->first, batch->sums, count * sizeof *out->log_density);
    for (size_t i = 0; i < out->dimension; i++)
        memcpy(out->x + i * out->n + batch->first, batch->x + i * batch->chains, count * sizeof *out->x);
    return finite;
}

static enum status points_new(size_t n, size_t dimension, struct points *out, struct error *error)
{
    *out = (struct points){.n = n, .dimension = dimension};
    out->x = n < SIZE_MAX / sizeof(double) / dimension ? array_new(n * dimension, sizeof(double)) : NULL;
    out->log_density = array_new(n, sizeof(double));
    if (out->x != NULL && out->log_density != NULL)
        return STATUS_OK;
    points_free(out);
    return fail_with(error, STATUS_MEMORY, "out of memory for %zu points in dimension %zu", n, dimension);
}

void points_free(struct points *points)
{
    free(points->x);
    free(points->log_density);
    *points = (struct points){.n = 0};
}

/* All batches, on the problem's threads; `make` fills batch->x at level 1 or returns what it made to `target`. */
static enum status all_batches(const struct chain_problem *problem, size_t n,
                               bool (*make)(struct batch *batch, void *target), void *target, struct error *error)
{
    size_t size = batch_size(problem->dimension), count = (n + size - 1) / size;
    enum status status = STATUS_OK;
    int threads = (size_t)problem->threads < count ? problem->threads : (int)count;
#pragma omp parallel num_threads(threads)
    {
        struct batch batch = {0};
        struct error own = {STATUS_OK, ""};
        enum status mine = batch_new(problem, &batch, &own);
#pragma omp for schedule(dynamic, 1)
        for (size_t i = 0; i < count; i++) {
            batch.first = i * size;
            bool finite = mine != STATUS_OK || make(&batch, target);
            if (mine == STATUS_OK)
                mine = undeclared_check(batch.target.undeclared, problem->sampler, batch.target.t, &own);
            if (mine == STATUS_OK && batch.mixes > 0)
                mine = fail_with(&own, STATUS_UNSUPPORTED,
                                 "the increment of sampler %s in step t = %zu depends on other chains, or is another "
                                 "one when called again",
                                 problem->sampler->name, batch.mixes);
            if (mine == STATUS_OK && !finite)
                mine = fail_with(&own, STATUS_NUMERIC, "a chain of %s is not finite", problem->sampler->name);
        }
        batch_free(&batch);
        if (mine != STATUS_OK) {
#pragma omp critical(chains_error)
            {
                status = mine;
                if (error != NULL)
                    *error = own;
            }
        }
    }
    return status;
}

static bool make_chains(struct batch *batch, void *target)
{
    simulate(batch);
    return keep(batch, target);
}

static bool make_draws(struct batch *batch, void *target)
{
    draw_sample(batch);
    return keep(batch, target);
}

static enum status make_points(const struct chain_problem *problem, size_t n,
                               bool (*make)(struct batch *batch, void *target), struct points *out,
                               struct error *error)
{
    enum status status = points_new(n, problem->dimension, out, error);
    if (status == STATUS_OK)
        status = all_batches(problem, n, make, out, error);
    if (status != STATUS_OK)
        points_free(out);
    return status;
}

enum status chains_run(const struct chain_problem *problem, size_t n, struct points *out, struct error *error)
{
    return make_points(problem, n, make_chains, out, error);
}

enum status chains_draw(const struct chain_problem *problem, size_t n, struct points *out, struct error *error)
{
    return make_points(problem, n, make_draws, out, error);
}

/* ---- Forward paths ---- */

/* Adds factor * sum_i x_i y_i to out, for every chain. */
VECTOR_CLONES static void add_inner(size_t d, size_t chains, double factor, const double *x, const double *y,
                                    double *out)
{
    for (size_t i = 0; i < d; i++)
        for (size_t j = 0; j < chains; j++)
            out[j] += factor * (x[i * chains + j] * y[i * chains + j]);
}

/* Where noise comes before the map, too: given x_t and y, a point Y+ between them from
 * F = N((kernel x_t + before (sqrt(alpha) y - D(x_t)))/(before + kernel), before kernel/(before + kernel)), `kernel`
 * being v alpha, which is what the two kernels' product would be if D were constant. log N(Y+; x_t, before) - log F
 * is added to the weights; batch->x becomes Y+, and batch->middle what leads back to x_t. */
static void insert_middle(struct batch *batch, const struct step *step, uint32_t purpose, double before,
                          double kernel, double *log_weight)
{
    size_t d = batch->problem->dimension, size = d * batch->chains;
    double whole = before + kernel, sd = sqrt(before * kernel / whole), root_beta = sqrt(step->beta);
    double *z = batch->middle;
    make_increment(batch, step);
    normals(batch, purpose, step->t, z);
    /* sqrt(alpha) y - x_t = -sqrt(beta) w with w in batch->noise; moved = Y+ - x_t, and w becomes
     * (Y+ - sqrt(alpha) y)/sqrt(beta). */
    for (size_t i = 0; i < size; i++) {
        double moved = -before / whole * (root_beta * batch->noise[i] + batch->increment[i]) + sd * z[i];
        batch->increment[i] = z[i];
        batch->middle[i] = moved;
        batch->x[i] += moved;
        batch->noise[i] += moved / root_beta;
    }
    add_inner(d, batch->chains, 0.5, batch->increment, batch->increment, log_weight);
    add_inner(d, batch->chains, -0.5 / before, batch->middle, batch->middle, log_weight);
    for (size_t j = 0; j < batch->chains; j++)
        log_weight[j] += 0.5 * (double)d * log(kernel / whole);
}

/* X_{t-1} to X_t by the forward kernel, and the log-ratio of the sampler's kernel to it, theory (14)-(15) without the
 * densities, which cancel along a path. */
static void advance_forward(struct batch *batch, size_t t, uint32_t apart, double *log_weight)
{
    const struct sampler *sampler = batch->problem->sampler;
    struct step step = step_at(batch, t);
    size_t d = batch->problem->dimension, size = d * batch->chains;
    double log_ratio = sampler->log_noise_ratio(&step), kernel = sampler_noise_after(sampler, &step); /* v alpha */
    double before = sampler_noise_before(sampler, &step);
    double *w = batch->noise;
    chain_target_set(&batch->target, t);
    normals(batch, FORWARD + apart, t, w);
    double root_alpha = exp(0.5 * step.log_alpha), root_beta = sqrt(step.beta);
    noise_up(size, root_alpha, root_beta, w, batch->x);
    add_inner(d, batch->chains, 0.5, w, w, log_weight);
    if (before > 0.0)
        insert_middle(batch, &step, MIDDLE + apart, before, kernel, log_weight);
    make_increment(batch, &step);
    add_scaled(size, root_beta, w, batch->increment);
    add_inner(d, batch->chains, -0.5 / kernel, batch->increment, batch->increment, log_weight);
    for (size_t j = 0; j < batch->chains; j++)
        log_weight[j] += 0.5 * (double)d * (step.log_alpha - log_ratio);
    if (before > 0.0)
        add_scaled(size, -1.0, batch->middle, batch->x);
}

/* log N(x; 0, I) at level T. */
static void add_start_density(struct batch *batch, double *log_weight)
{
    size_t d = batch->problem->dimension;
    chain_target_make_absolute(&batch->target, FROM, batch->x);
    add_inner(d, batch->chains, -0.5, batch->x, batch->x, log_weight);
    for (size_t j = 0; j < batch->chains; j++)
        log_weight[j] -= 0.5 * (double)d * log(2.0 * M_PI);
}

static bool make_paths(struct batch *batch, void *target)
{
    struct paths *paths = target;
    size_t count = paths->start.n - batch->first < batch->chains ? paths->start.n - batch->first : batch->chains;
    double *log_weight = batch->sums + batch->chains;
    bool finite = true;
    for (uint32_t path = 0; path < 2; path++) {
        draw(batch, PATH_DRAW);
        if (path == 0)
            finite &= keep(batch, &paths->start);
        draw(batch, PATH_DRAW); /* keep made it absolute */
        chain_target_log_density(&batch->target, batch->x, log_weight);
        for (size_t j = 0; j < batch->chains; j++)
            log_weight[j] = -log_weight[j];
        for (size_t t = 2; t <= batch->problem->schedule->T && !batch->target.undeclared->asked; t++)
            advance_forward(batch, t, path * FORWARD_APART, log_weight);
        if (batch->target.undeclared->asked)
            return false;
        add_start_density(batch, log_weight);
        for (size_t j = 0; j < count; j++)
            finite &= isfinite(log_weight[j]) != 0;
        memcpy(paths->log_weight[path] + batch->first, log_weight, count * sizeof *log_weight);
    }
    return finite;
}

size_t chains_quiet_step(const struct chain_problem *problem)
{
    for (size_t t = problem->schedule->T; t >= 2; t--) {
        struct step step = sampler_step(problem->sampler, problem->schedule, t);
        if (!(sampler_noise_after(problem->sampler, &step) > 0.0))
            return t;
    }
    return 0;
}

enum status chains_weigh(const struct chain_problem *problem, size_t n, struct paths *out, struct error *error)
{
    *out = (struct paths){.log_weight = {NULL, NULL}};
    size_t quiet = chains_quiet_step(problem);
    if (problem->sampler->log_noise_ratio == NULL)
        return fail_with(error, STATUS_UNSUPPORTED, "%s is deterministic: its paths have no weights",
                         problem->sampler->name);
    if (problem->sampler->draws > 0)
        return fail_with(error, STATUS_UNSUPPORTED,
                         "%s draws a number in each step, which forward paths do not know: they have no weights",
                         problem->sampler->name);
    if (problem->sampler->memory > 0)
        return fail_with(error, STATUS_UNSUPPORTED,
                         "%s keeps what earlier steps found, which forward paths do not "
                         "know: they have no weights",
                         problem->sampler->name);
    if (quiet > 0)
        return fail_with(error, STATUS_UNSUPPORTED, "%s has no noise in step t = %zu: its paths have no weights",
                         problem->sampler->name, quiet);
    enum status status = points_new(n, problem->dimension, &out->start, error);
    for (int k = 0; k < 2 && status == STATUS_OK; k++) {
        out->log_weight[k] = array_new(n, sizeof(double));
        if (out->log_weight[k] == NULL)
            status = fail_with(error, STATUS_MEMORY, "out of memory for %zu paths", n);
    }
    if (status == STATUS_OK)
        status = all_batches(problem, n, make_paths, out, error);
    if (status != STATUS_OK)
        paths_free(out);
    return status;
}

void paths_free(struct paths *paths)
{
    points_free(&paths->start);
    free(paths->log_weight[0]);
    free(paths->log_weight[1]);
    *paths = (struct paths){.log_weight = {NULL, NULL}};
}
