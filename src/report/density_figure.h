/* The picture of a law in the plane: p_1, q_1 and q_1 - p_1 as maps of colour. */
#ifndef REPORT_DENSITY_FIGURE_H
#define REPORT_DENSITY_FIGURE_H

#include "core/status.h"
#include "law/plane_density.h"

struct density_figure {
    const char *directory, *target, *sampler;
    size_t steps;
    const struct plane_density *density;
};

/* What the names of such pictures' files begin with; after it come the target, the sampler and T. */
#define DENSITY_FIGURE "density-"
extern const char density_caption[];

/* Writes density-TARGET-SAMPLER-T.tsv, .vars.gp, .svg and .png into the directory, which exists. Errors: STATUS_IO;
 * STATUS_MEMORY; STATUS_EXTERNAL where gnuplot is missing or fails. */
MUST_USE enum status density_figure_draw(const struct density_figure *figure, struct error *error);

#endif
