/* SPDX-License-Identifier: Apache-2.0
 *
 * For the tests only: a module that changes what a member of a balancer is, as
 * mod_proxy does by reading its status and writing it back, and by that undoes
 * what another has changed in between.
 *
 *   /member?shut=TEXT   members with TEXT in their address are in shutdown
 *   /member?open=TEXT   they are not
 *
 * With "member" for a query it takes a request from another handler, as late as
 * a module can.
 */
#include <string.h>

#include <httpd.h>

#include <http_config.h>
#include <http_protocol.h>
#include <http_request.h>
#include <mod_proxy.h>

static int set_members(proxy_balancer *balancer, const char *text, int shut)
{
    proxy_worker **workers = (proxy_worker **)balancer->workers->elts;
    int count = 0;
    int i;

    for (i = 0; i < balancer->workers->nelts; i++) {
        if (strstr(workers[i]->s->name_ex, text) != NULL) {
            unsigned int status = workers[i]->s->status;

            workers[i]->s->status = shut ? status | PROXY_WORKER_IN_SHUTDOWN
                                         : status & ~PROXY_WORKER_IN_SHUTDOWN;
            count++;
        }
    }
    return count;
}

static int is_taken(const request_rec *r)
{
    return r->args != NULL && strcmp(r->args, "member") == 0;
}

static int take(request_rec *r)
{
    if (is_taken(r)) {
        r->handler = "member";
    }
    return DECLINED;
}

static int handle(request_rec *r)
{
    const module *proxy = ap_find_linked_module("mod_proxy.c");
    const proxy_server_conf *conf;
    proxy_balancer *balancers;
    int count = 0;
    int i;

    if (r->handler == NULL || strcmp(r->handler, "member") != 0) {
        return DECLINED;
    }
    if (is_taken(r)) {
        return OK;
    }
    if (proxy == NULL || r->args == NULL || strlen(r->args) < 6) {
        return HTTP_BAD_REQUEST;
    }
    conf = ap_get_module_config(r->server->module_config, proxy);
    balancers = (proxy_balancer *)conf->balancers->elts;
    for (i = 0; i < conf->balancers->nelts; i++) {
        count += set_members(&balancers[i], r->args + 5,
                             strncmp(r->args, "shut", 4) == 0);
    }
    ap_set_content_type(r, "text/plain");
    ap_rprintf(r, "%d\n", count);
    return OK;
}

static void register_hooks(apr_pool_t *pool)
{
    (void)pool;
    ap_hook_fixups(take, NULL, NULL, APR_HOOK_REALLY_LAST);
    ap_hook_handler(handle, NULL, NULL, APR_HOOK_MIDDLE);
}

AP_DECLARE_MODULE(member) = {
    STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, NULL, register_hooks,
#if defined(AP_MODULE_FLAG_NONE)
    AP_MODULE_FLAG_NONE
#endif
};
