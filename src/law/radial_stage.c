#include "law/radial_stage.h"

#include <math.h>

/* L1(p) error that a stage's rules may make in any case, as in law/line.c. */
#define QUADRATURE_TOLERANCE 8e-16
/* So many times the tolerance, and the next rungs need not be tried one by one. */
#define FAR_OFF 1e4
/* Not so much above the tolerance, an error that the next smaller rule does not enlarge is rounding. */
#define STALLED 30.0
/* Where q has so much mass beyond the grid that E_p|r - 1| is anyone's guess, the kink of r at the grid's end need
 * not be resolved to more than a part of what is lost, shared by the steps. */
#define LOST 0.02
#define LOST_RELATIVE 3e3 /* times demand.relative */

static const double test_position[RADIAL_TEST_POINTS] = {-0.99, -0.42, 0.33, 0.97};

void radial_test_points(const struct panel *panel, double *rho)
{
    for (int j = 0; j < RADIAL_TEST_POINTS; j++)
        rho[j] = panel->centre + panel->half_width * test_position[j];
}

void radial_norms_add(struct radial_norms *norms, const struct panel *panel, const double *log_density,
                      const double *log_ratio, const double *log_error)
{
    for (int j = 0; j < RADIAL_TEST_POINTS; j++) {
        double weight = exp(log_density[j] + log_ratio[j]) * 2.0 * panel->half_width / RADIAL_TEST_POINTS;
        double relative = expm1(log_error[j]);
        norms->l1 += weight * fabs(relative);
        norms->l2_squared += weight * relative * relative;
    }
}

/* What a stage does wrong, at points off the grid and against a finer rule. */
struct local_error {
    struct radial_norms total;      /* of the stage as made: quadrature and interpolation */
    struct radial_norms quadrature; /* of its rule alone */
    struct radial_norms coarser;    /* of the next smaller rule */
    double distance, excess;        /* E_p|r - 1| and E_p r - 1 so far, roughly */
};

struct job {
    const struct radial_transfer *transfer;
    const struct radial_basis *basis;
    struct radial_work *work;
    const struct stage_demand *demand;
    struct panels *grid;
    size_t rung; /* in use */
};

/* The rule that a rung stands for at this resolution. */
static size_t rung_in_use(size_t rung, double resolution)
{
    size_t extra = resolution > 1.0 ? (size_t)lround(3.0 * log2(resolution)) : 0;
    return rung + extra < TOP_RUNG ? rung + extra : TOP_RUNG;
}

/* Fills `count` panels of one anchor. */
static enum status fill_together(const struct job *job, struct panel *panel, size_t count, size_t *hint,
                                 struct error *error)
{
    double rho[RADIAL_POINTS], value[RADIAL_POINTS], nodes[PANEL_NODES];
    size_t n = 0, used = 0;
    for (size_t i = 0; i < count; i++)
        n += radial_panel_nodes(job->basis, &panel[i], rho + n);
    enum status status = radial_transfer_apply(job->transfer, job->work, job->rung, panel->anchor,
                                               2.0 * panel->half_width, n, rho, value, hint, error);
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        radial_panel_fit(job->basis, value + used, &panel[i]);
        used += radial_panel_nodes(job->basis, &panel[i], nodes);
        if (!isfinite(panel[i].coefficient[0]))
            status = fail_with(error, STATUS_NUMERIC, "the law of %s is not finite after step t = %zu",
                               job->transfer->sampler->name, job->transfer->step->t);
    }
    return status;
}

static enum status fill(const struct job *job, struct error *error)
{
    size_t hint = 0, most = job->transfer->deterministic ? 1 : RADIAL_POINTS / PANEL_NODES;
    enum status status = STATUS_OK;
    for (size_t p = 0, count; p < job->grid->count && status == STATUS_OK; p += count) {
        struct panel *panel = &job->grid->panel[p];
        for (count = 1; count < most && p + count < job->grid->count && panel[count].anchor == panel->anchor;)
            count++;
        status = fill_together(job, panel, count, &hint, error);
    }
    return status;
}

static enum status check_panel(const struct job *job, const struct panel *panel, size_t *hint,
                               struct local_error *local, struct error *error)
{
    const size_t rungs[3] = {job->rung + FINER, job->rung, job->rung > 0 ? job->rung - 1 : 0};
    double rho[RADIAL_TEST_POINTS], value[3][RADIAL_TEST_POINTS], made[RADIAL_TEST_POINTS];
    double log_density[RADIAL_TEST_POINTS];
    radial_test_points(panel, rho);
    for (int k = 0; k < 3; k++) {
        enum status status =
            radial_transfer_apply(job->transfer, job->work, rungs[k], panel->anchor, 2.0 * panel->half_width,
                                  RADIAL_TEST_POINTS, rho, value[k], &hint[k], error);
        if (status != STATUS_OK)
            return status;
    }
    panel_evaluate(panel, 0.0, RADIAL_TEST_POINTS, rho, made);
    radial_level_log_density(job->transfer->to, RADIAL_TEST_POINTS, rho, log_density);
    for (int j = 0; j < RADIAL_TEST_POINTS; j++) {
        double weight = exp(log_density[j]) * 2.0 * panel->half_width / RADIAL_TEST_POINTS;
        local->distance += weight * fabs(expm1(value[0][j]));
        local->excess += weight * expm1(value[0][j]);
        made[j] -= value[0][j];
        value[1][j] -= value[0][j];
        value[2][j] -= value[0][j];
    }
    radial_norms_add(&local->total, panel, log_density, value[0], made);
    radial_norms_add(&local->quadrature, panel, log_density, value[0], value[1]);
    radial_norms_add(&local->coarser, panel, log_density, value[0], value[2]);
    return STATUS_OK;
}

static enum status check(const struct job *job, struct local_error *local, struct error *error)
{
    size_t hint[3] = {0, 0, 0};
    enum status status = STATUS_OK;
    *local = (struct local_error){.distance = 0.0};
    for (size_t p = 0; p < job->grid->count && status == STATUS_OK; p++)
        status = check_panel(job, &job->grid->panel[p], hint, local, error);
    return status;
}

static double tolerance_for(const struct job *job, const struct local_error *local)
{
    double lost = -local->excess > LOST ? LOST_RELATIVE * -local->excess : 0.0;
    double relative = job->demand->relative * fmax(local->distance, lost);
    return fmax(fmax(QUADRATURE_TOLERANCE, job->demand->rounding), relative);
}

static void add_wrong(const struct job *job, const struct local_error *local, int way, struct step_error *wrong)
{
    double rounding = job->demand->rounding, ignored = job->work->ignored;
    wrong->l1[way] += fmax(RADIAL_SEEN * local->total.l1 - rounding, 0.0) + ignored;
    wrong->l2[way] += fmax(RADIAL_SEEN * sqrt(local->total.l2_squared) - rounding, 0.0) + ignored;
}

static enum status make_checked(struct job *job, size_t *rung, struct step_error *wrong, struct error *error)
{
    for (int pass = 0;; pass++) {
        struct local_error local;
        job->rung = rung_in_use(*rung, job->demand->resolution);
        job->work->ignored = 0.0;
        enum status status = fill(job, error);
        double ignored = job->work->ignored;
        if (status == STATUS_OK)
            status = check(job, &local, error);
        if (status != STATUS_OK)
            return status;
        job->work->ignored = ignored;
        if (pass == 0)
            add_wrong(job, &local, AS_BEFORE, wrong);
        double tolerance = tolerance_for(job, &local), missed = local.quadrature.l1;
        int stalled = missed < STALLED * tolerance && job->rung > 0 && local.coarser.l1 < 2.0 * missed;
        if (missed > tolerance && !stalled && job->rung < TOP_RUNG && !job->transfer->deterministic) {
            *rung += missed > FAR_OFF * tolerance ? 3 : 1;
            continue;
        }
        add_wrong(job, &local, AS_MADE, wrong);
        add_wrong(job, &local, FROM_NOW_ON, wrong);
        if (*rung > 0 && local.coarser.l1 < 0.5 * tolerance) {
            (*rung)--;
            wrong->l1[FROM_NOW_ON] += local.coarser.l1;
            wrong->l2[FROM_NOW_ON] += sqrt(local.coarser.l2_squared);
        }
        return STATUS_OK;
    }
}

enum status radial_stage_make(const struct radial_transfer *transfer, const struct radial_basis *basis,
                              struct radial_work *work, const struct stage_demand *demand, size_t *rung,
                              struct panels *grid, struct step_error *wrong, struct error *error)
{
    struct job job = {transfer, basis, work, demand, grid, rung_in_use(*rung, demand->resolution)};
    int in_order = 0;
    enum status status = STATUS_OK;
    if (!demand->checked)
        status = radial_panels_move(transfer->grid, transfer->to, grid, &in_order, error);
    if (status == STATUS_OK && !in_order)
        status = radial_panels_lay_out(transfer->to, demand->resolution, grid, error);
    if (status != STATUS_OK)
        return status;
    return demand->checked ? make_checked(&job, rung, wrong, error) : fill(&job, error);
}
