/* The error of a codeword's mass on codebooks against eta = K h d: planted laws, chains and the limit d -> infinity.
 */
#include <math.h>
#include <stdlib.h>

#include "core/memory.h"
#include "report/figure_sheet.h"

#define DETECTION_ERRORS 2.0 /* standard errors of a number from chains that counts as significant */

/* The series of a sampler in a dimension is dimension * samplers + sampler + 1, from indices that begin at 0. */
struct panel {
    const struct evidence *evidence;
    struct sheet *sheet;
    size_t target;
    double weight;               /* w */
    const struct record **limit; /* of a sampler, in all dimensions */
    size_t limits;
};

/* m_1 of (26') from the codewords' mass Q. */
static struct estimate codeword_mass_error(double weight, struct estimate mass)
{
    double scale = 1.0 / log1p(-weight);
    return (struct estimate){log1p(-mass.value) * scale - 1.0, fabs(scale) * mass.error / (1.0 - mass.value)};
}

/* A point at |m|; a point of kind `limit` at |m| + errors * m.error where |m| is not above errors * m.error, radii or
 * standard errors; beside a point of m > 0 a row of kind "gain", which is drawn as its sign. */
static void put_mass_error(struct panel *panel, struct place place, const char *limit, double eta, double errors,
                           struct estimate m)
{
    const struct estimate size = {fabs(m.value), errors * m.error};
    const bool below = !(size.value > size.error);
    const double y = below ? size.value + size.error : size.value;
    if (!(eta > 0.0) || !(y > 0.0) || !isfinite(y))
        return;
    place.kind = below ? limit : place.kind;
    sheet_estimate_point(panel->sheet, &place, eta, y, size);
    place.kind = "gain";
    if (m.value > 0.0 && !below)
        sheet_estimate_row(panel->sheet, &place, eta, y, size);
}

static void keep_limit(struct panel *panel, const struct record *row)
{
    if (row->crossing_eta > 0.0 && row->crossing_mass_error != 0.0 && isfinite(row->crossing_mass_error))
        panel->limit[panel->limits++] = row;
}

static void put_dimension(struct panel *panel, size_t sampler, size_t dimension)
{
    const struct manifest *manifest = &panel->evidence->manifest;
    struct place place = {manifest->targets[panel->target].name, manifest->samplers[sampler].name,
                          dimension * manifest->sampler_count + sampler + 1, manifest->dimensions[dimension],
                          "planted"};
    const struct row_list laws = evidence_rows(panel->evidence, panel->target, sampler, 0, dimension);
    for (size_t i = 0; i < laws.count; i++) {
        const struct record *row = laws.row[i];
        put_mass_error(panel, place, "planted limit", row->crossing_eta, 1.0,
                       (struct estimate){row->planted_mass_error, row->planted_mass_error_error});
        keep_limit(panel, row);
    }
    if (manifest->chain_count == 0)
        return;
    place.kind = "chains";
    const struct row_list chains = evidence_sampled_rows(panel->evidence, panel->target, sampler, 0, dimension,
                                                         manifest->chains[manifest->chain_count - 1]);
    for (size_t i = 0; i < chains.count; i++) {
        const struct record *row = chains.row[i];
        put_mass_error(panel, place, "chains limit", row->crossing_eta, DETECTION_ERRORS,
                       codeword_mass_error(panel->weight, row->estimates.codewords_mass));
        keep_limit(panel, row);
    }
}

static int by_eta(const void *a, const void *b)
{
    double x = (*(const struct record *const *)a)->crossing_eta, y = (*(const struct record *const *)b)->crossing_eta;
    return (x > y) - (x < y);
}

static void put_panel(struct panel *panel)
{
    const struct manifest *manifest = &panel->evidence->manifest;
    const size_t before = panel->sheet->points;
    panel->sheet->panels++;
    for (size_t s = 0; s < manifest->sampler_count; s++) {
        const struct place place = {manifest->targets[panel->target].name, manifest->samplers[s].name, s + 1, 0,
                                    "law"};
        panel->limits = 0;
        for (size_t d = 0; d < manifest->dimension_count; d++)
            put_dimension(panel, s, d);
        qsort(panel->limit, panel->limits, sizeof(const struct record *), by_eta);
        for (size_t i = 0; i < panel->limits; i++) {
            if (i > 0 && !(panel->limit[i]->crossing_eta > panel->limit[i - 1]->crossing_eta))
                continue; /* a law's and its chains' are the same */
            double y = fabs(panel->limit[i]->crossing_mass_error);
            sheet_estimate_row(panel->sheet, &place, panel->limit[i]->crossing_eta, y,
                               (struct estimate){y, panel->limit[i]->crossing_mass_error_error});
        }
        sheet_key(panel->sheet, s + 1, manifest->samplers[s].name, "", 0, (struct exponent){0});
    }
    if (panel->sheet->points == before)
        panel->sheet->panels--;
    else
        sheet_title(panel->sheet, "%s", sheet_name(manifest->targets[panel->target].name).text);
}

static enum status collect(const struct evidence *evidence, struct sheet *sheet, struct error *error)
{
    const struct manifest *manifest = &evidence->manifest;
    struct panel panel = {.evidence = evidence, .sheet = sheet};
    panel.limit = array_new(evidence->result.count, sizeof *panel.limit);
    if (panel.limit == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for a figure");
    for (panel.target = 0; panel.target < manifest->target_count; panel.target++) {
        panel.weight = manifest->targets[panel.target].codewords;
        if (panel.weight > 0.0)
            put_panel(&panel);
    }
    free(panel.limit);
    sheet_colours(manifest, sheet);
    fprintf(sheet->vars, "dimensions = %zu\nchains = %zu\n", manifest->dimension_count,
            manifest->chain_count > 0 ? manifest->chains[manifest->chain_count - 1] : 0);
    for (size_t d = 0; d < manifest->dimension_count; d++)
        fprintf(sheet->vars, "dimension_%zu = %zu\n", d + 1, manifest->dimensions[d]);
    return STATUS_OK;
}

const struct figure_source figure_codewords = {"eta", "mass_error", collect, 1, 1};
