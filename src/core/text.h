/* Text that others wrote: what may be a name, and its characters one by one. */
#ifndef CORE_TEXT_H
#define CORE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* What names are made of; they go into paths, figures and pages as they are. */
#define NAME_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"

/* True for one or more of NAME_CHARACTERS that start with a letter or digit. */
bool text_is_name(const char *text);

/* The length of the UTF-8 character at text, '\0' not included, with its code point; 0 where there is none: at the
 * end and at bytes that are not UTF-8. */
size_t text_character(const char *text, uint32_t *code);

/* True for characters that do more than stand in their place: control characters, line and paragraph separators,
 * and those that turn the order of what follows (marks of direction, which only say how they themselves run, are
 * fine). */
bool text_is_control(uint32_t code);

/* Puts '?' in the place of every byte that is not UTF-8 or belongs to a control character, but for those in
 * `allowed`: what is left is safe to print on a terminal. */
void text_tame(char *text, const char *allowed);

/* A measured number with no digit below the first of its radius: "0" where it has none above, "-" for NaN, which is
 * not known, "inf" where it is infinite, and "> 1.8e+308" where the radius is infinite, too. */
enum { TEXT_MEASURED_SIZE = 32 };
void text_measured(double value, double radius, char text[TEXT_MEASURED_SIZE]);

/* Writes text that stands for itself in HTML (also inside quotes), and in one line of Markdown. Bytes that are not
 * UTF-8 and control characters, but for line breaks and tabs in HTML, become U+FFFD. */
void text_put_html(FILE *file, const char *text);
void text_put_markdown(FILE *file, const char *text);

/* Writes text that stands for itself in LaTeX with any engine: Greek letters and signs in use here as commands,
 * accented letters of Latin-1 as they are, and what else is not ASCII as its code point. */
void text_put_latex(FILE *file, const char *text);

#endif
