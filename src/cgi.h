/* cgi: one request as a plain CGI program (RFC 3875): environment and standard input in, standard
 * output out. A poll waits in the bell itself. */
#ifndef KLATCH_CGI_H
#define KLATCH_CGI_H

#include <stdbool.h>

#include "app.h"

/* Answer the one request of this process. False: nobody takes the answer. */
bool cgi_run(struct app *app);

#endif
