#include "law/propagate.h"

#include <math.h>

#include "core/memory.h"
#include "law/tuning.h"

struct driver {
    struct propagation run;
    const struct geometry *geometry;
    const struct law_engine *engine;
    void *state;
    size_t slot; /* holds the law */
    bool stale;  /* its level is behind: steps that leave the law unchanged were skipped */
    struct error_account errors;
    double rounding_squared;
    struct clip_bound clip; /* of a clip that is taken as inactive */
    struct clip_part last;  /* of the last step that was checked */
    bool given_up;          /* the bound on the probability that it acts exceeds problem->clip_most */
};

struct stage stage_of(const struct sampler *sampler, const struct step *step, size_t index)
{
    double before = sampler_noise_before(sampler, step);
    if (index == STAGE_NOISE)
        return (struct stage){.sampler = sampler,
                              .step = step,
                              .index = STAGE_NOISE,
                              .deterministic = !(before > 0.0),
                              .a = 1.0,
                              .noise = before,
                              .added = -before};
    double noise = sampler_noise_after(sampler, step);
    return (struct stage){.sampler = sampler,
                          .step = step,
                          .index = STAGE_MAP,
                          .moves = true,
                          .deterministic = !(noise > 0.0),
                          .a = exp(0.5 * step->log_alpha),
                          .noise = noise,
                          .added = step->beta + before};
}

void propagation_score_error(const struct propagation *run, size_t index, double share,
                             const struct mixture_level *marginal, struct error_level *out)
{
    *out = (struct error_level){.shape = NULL};
    if (share > 0.0)
        score_error_at(run->problem->score_error, run->error_norm, share, run->problem->schedule,
                       index == 1 ? run->step.t - 1 : run->step.t, marginal, out);
}

void error_account_add(struct error_account *account, const struct step_error *error)
{
    struct norms between = norms_max(error->before, account->last.after);
    double steps = (double)(account->unchecked - 1);
    account->total.l1 += between.l1 * steps + error->itself.l1;
    account->total.l2 += between.l2 * steps + error->itself.l2;
    account->total.own += between.own * steps + error->itself.own;
    account->last = *error;
    account->unchecked = 0;
}

/* true where the score error begins or ends (a step sees it at t and t-1), and in the step before: steps on either
 * side say nothing about one another. */
static bool score_error_switches(const struct law_problem *problem, size_t t)
{
    const struct schedule *schedule = problem->schedule;
    if (!(problem->error_share > 0.0))
        return false;
    double (*weight)(const struct schedule *, size_t) = problem->score_error->profile->weight;
    size_t first = t < schedule->T ? t + 1 : t, last = t > 2 ? t - 2 : 1;
    for (size_t other = last; other <= first; other++)
        if ((weight(schedule, other) > 0.0) != (weight(schedule, t) > 0.0))
            return true;
    return false;
}

static bool is_unchanged(const struct driver *driver)
{
    return driver->geometry->leaves_unchanged != NULL && driver->geometry->leaves_unchanged(driver->state);
}

static bool must_check(const struct driver *driver, size_t t, bool unchanged)
{
    const struct law_problem *problem = driver->run.problem;
    const struct schedule *schedule = problem->schedule;
    double most = unchanged ? CHECK_STRIDE_UNCHANGED : driver->geometry->check_stride;
    double stride = fmin(fmax(most / schedule->h, 1.0), unchanged ? HUGE_VAL : CHECK_MOST_STEPS);
    /* Some schedules have steps in which log noise changes by more than h. */
    size_t last = t + driver->errors.unchecked < schedule->T ? t + driver->errors.unchecked : schedule->T;
    bool far = schedule->log_noise[last] - schedule->log_noise[t] > most;
    /* Where a step is one evaluation of the score the second is checked, too: the law before the first is smooth, and
     * says little of the quadrature to come. Checks after that are where they would be without it. */
    bool second = problem->sampler->score_evaluations == 1;
    size_t since = driver->errors.unchecked + (second && driver->errors.unchecked + 1 + t == schedule->T);
    return t + second >= schedule->T || t <= CHECK_LAST_STEPS || since >= (size_t)stride || far
           || score_error_switches(problem, t) || conditions_unlike(problem->conditions, t);
}

/* The clip in this step, which is checked, and in those since the last that was: the worse of the two counts. */
static void take_clip(struct driver *driver)
{
    const double *log_noise = driver->run.problem->schedule->log_noise;
    struct clip_step moments = {0.0, {0.0}};
    driver->geometry->correction_moments(driver->state, &moments);
    const struct clip_part own = clip_part_of(&moments), between = clip_part_max(&own, &driver->last);
    for (size_t i = 1; i < driver->errors.unchecked; i++)
        clip_bound_take(&driver->clip, log_noise[driver->run.step.t + i], &between);
    clip_bound_take(&driver->clip, log_noise[driver->run.step.t], &own);
    driver->last = own;
    const struct law_problem *problem = driver->run.problem;
    const struct clip_bound *const bound = &driver->clip;
    const double copies = 1.0;
    driver->given_up = problem->clip_most > 0.0
                       && clip_probability(1, &bound, &copies, problem->factor->dimension) > problem->clip_most;
}

/* Refuses a step without noise before any step is made: it may be one of the last. */
static enum status check_noise(const struct driver *driver, struct error *error)
{
    const struct law_problem *problem = driver->run.problem;
    for (size_t t = problem->schedule->T; driver->geometry->needs_noise && t >= 2; t--) {
        const struct step step = sampler_step(problem->sampler, problem->schedule, t);
        if (stage_of(problem->sampler, &step, STAGE_MAP).deterministic)
            return fail_with(
                error, STATUS_UNSUPPORTED,
                "sampler %s has no noise in step t = %zu, and the %s's engine needs noise in every step: only "
                "chains (`samples`) can measure it",
                problem->sampler->name, t, driver->engine->name);
    }
    return STATUS_OK;
}

static enum status make_stage(struct driver *driver, size_t index, size_t from, size_t to, bool checked,
                              struct step_error *total, struct error *error)
{
    const struct geometry *geometry = driver->geometry;
    struct stage stage = stage_of(driver->run.problem->sampler, &driver->run.step, index);
    struct stage_result result = {.rounding = 0.0};
    TRY(geometry->prepare_stage(driver->state, &stage, from, to, error));
    if (checked && stage.moves && driver->clip.T > 0)
        take_clip(driver);
    if (driver->given_up)
        return STATUS_OK;
    TRY(geometry->fill_stage(driver->state, checked, &result, error));
    total->before = norms_sum(total->before, result.error.before);
    total->itself = norms_sum(total->itself, result.error.itself);
    total->after = norms_sum(total->after, result.error.after);
    driver->rounding_squared += result.rounding * result.rounding;
    return STATUS_OK;
}

static enum status make_stages(struct driver *driver, bool checked, struct step_error *total, struct error *error)
{
    const struct step *step = &driver->run.step;
    size_t from = driver->slot, to = 1 - from;
    double before = sampler_noise_before(driver->run.problem->sampler, step);
    driver->geometry->set_level(driver->state, to, &step->to);
    driver->geometry->set_score(driver->state, from, to);
    if (before > 0.0) {
        struct level noisy = {step->from.alpha_bar, step->from.noise + before};
        driver->geometry->set_level(driver->state, SLOT_BETWEEN, &noisy);
        TRY(make_stage(driver, STAGE_NOISE, from, SLOT_BETWEEN, checked, total, error));
        from = SLOT_BETWEEN;
    }
    return make_stage(driver, STAGE_MAP, from, to, checked, total, error);
}

static enum status make_step(struct driver *driver, size_t t, bool checked, struct error *error)
{
    const struct law_problem *problem = driver->run.problem;
    struct step_error total = {{0.0, 0.0, 0.0}, {0.0, 0.0, 0.0}, {0.0, 0.0, 0.0}};
    driver->run.step = sampler_step(problem->sampler, problem->schedule, t);
    driver->run.step.clip = problem->clip > 0.0 ? problem->clip : HUGE_VAL;
    if (driver->stale) {
        driver->geometry->set_level(driver->state, driver->slot, &driver->run.step.from);
        TRY(driver->geometry->move_slot(driver->state, driver->slot, error));
        driver->stale = false;
    }
    enum status status = make_stages(driver, checked, &total, error);
    if (driver->run.undeclared.asked) /* the reason of any other failure */
        status = undeclared_check(&driver->run.undeclared, problem->sampler, t, error);
    if (checked && status == STATUS_OK)
        error_account_add(&driver->errors, &total);
    driver->slot = 1 - driver->slot;
    return status;
}

static enum status make_steps(struct driver *driver, struct error *error)
{
    const struct schedule *schedule = driver->run.problem->schedule;
    struct level level = schedule_level(schedule, schedule->T);
    driver->geometry->set_level(driver->state, driver->slot, &level);
    TRY(driver->geometry->start(driver->state, &driver->errors.total, error));
    for (size_t t = schedule->T; t >= 2 && !driver->given_up; t--) {
        bool unchanged = is_unchanged(driver);
        driver->errors.unchecked++;
        bool checked = must_check(driver, t, unchanged);
        if (unchanged && !checked)
            driver->stale = true;
        else
            TRY(make_step(driver, t, checked, error));
    }
    return STATUS_OK;
}

static enum status make_whole(struct driver *driver, struct error *error)
{
    double rounding;
    struct level level = schedule_level(driver->run.problem->schedule, 1);
    driver->geometry->set_level(driver->state, driver->slot, &level);
    TRY(driver->geometry->whole(driver->state, &driver->errors.total, &rounding, error));
    driver->rounding_squared = rounding * rounding;
    return STATUS_OK;
}

/* Log-odds of components, of the size of their log weights, are rounded with that. */
static enum status set_component_errors(const struct driver *driver, struct law *out, struct error *error)
{
    const struct factor *factor = driver->run.problem->factor;
    if (!driver->geometry->of_components)
        return STATUS_OK;
    out->component_error = array_new(factor->components, sizeof *out->component_error);
    if (out->component_error == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for %zu components", factor->components);
    double largest = 0.0;
    for (size_t k = 0; k < factor->components; k++)
        largest = fmax(largest, -factor_log_weight(factor, k));
    for (size_t k = 0; k < factor->components; k++)
        out->component_error[k] = MASS_FACTOR * (driver->errors.total.own + (1.0 + largest) * out->rounding);
    return STATUS_OK;
}

enum status propagate(const struct geometry *geometry, const struct law_engine *engine,
                      const struct law_problem *problem, double resolution, struct law *out, struct error *error)
{
    struct driver driver = {.geometry = geometry,
                            .engine = engine,
                            .run = {.problem = problem,
                                    .team = team_new(problem->threads),
                                    .resolution = resolution,
                                    .original = conditions_broken(problem->conditions, CONDITION_SHIFTS),
                                    .error_norm = 1.0}};
    if (problem->error_share > 0.0)
        driver.run.error_norm = score_error_norm(problem->score_error, problem->schedule);
    if (problem->sampler->correction != NULL && !(problem->clip > 0.0))
        driver.clip.T = problem->schedule->T;
    *out = (struct law){.engine = engine};
    enum status status;
    TRY_OR(done, check_noise(&driver, error));
    TRY_OR(done, geometry->new (&driver.run, &driver.state, error));
    TRY_OR(done, geometry->whole != NULL ? make_whole(&driver, error) : make_steps(&driver, error));
    out->clip = driver.clip;
    out->given_up = driver.given_up;
    if (driver.given_up)
        goto done;
    TRY_OR(done, geometry->finish(driver.state, driver.slot, out, error));
    out->rounding = ROUNDING_DEVIATIONS * sqrt(driver.rounding_squared);
    TRY_OR(done, set_component_errors(&driver, out, error));
    double of_places = conditions_rounding(problem->conditions); /* of positions in original coordinates */
    out->error_l1 += driver.errors.total.l1 + out->rounding + of_places;
    out->error_l2 += driver.errors.total.l2 + out->rounding + of_places;
    out->held_square = driver.run.held_square;
    for (size_t k = 0; of_places > 0.0 && out->component_error != NULL && k < problem->factor->components; k++)
        out->component_error[k] += of_places / (problem->component > 0 ? 1.0 : problem->factor->weight[k]);
done:
    if (driver.state != NULL)
        geometry->free(driver.state);
    team_free(driver.run.team);
    if (status != STATUS_OK)
        law_free(out);
    return status;
}
