#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Nobody is told that the application runs while a section of the configuration
# has no supervisor that knows of it: it cannot be forked, was forked a moment
# ago, or has not heard of a restart.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Httpd qw(wait_until);
use AMGR::Inject;
use AMGR::Managed;
use AMGR::Schema qw(schema_errors);
use Apache::Test qw(-withtestmore);
use JSON::PP ();

use constant {
    SOON  => 30,
    PAGES => '/manager-status',
};

my $s = AMGR::Httpd->new(mpm => 'event');
AMGR::Managed::prepare($s);
my $inject = AMGR::Inject->new($s->path('work/inject'),
                               'mod_apache_manager.so');
$s->{env} = $inject->env;

sub config {
    return join '', <<'END', map { AMGR::Managed::section($s, $_) } @_;
<Location /manager-status>
    ManagerControl On
</Location>
<Location /pymanager>
    SetHandler manager-status
    ManagerControl pymanager
    Require local
</Location>
END
}

sub restart {
    my (@names) = @_;
    $s->set_config(config(@names));
    return ok($s->graceful, "graceful restart with @names");
}

# What everybody is told while this one is not known.
sub is_starting {
    my ($name, $up) = @_;
    my $ready = $s->get(PAGES . '/ready');
    is($ready->code, 503, '/ready says no');
    is_deeply(JSON::PP::decode_json($ready->content),
              { status => 'starting', not_ready => [$name] }, 'and why');
    is_deeply([schema_errors($s->get(PAGES . '/status.json')->content)], [],
              'status.json obeys its schema');
    my $row = AMGR::Managed::one($s, $name);
    is("@$row{qw(state want ready)}", 'STOPPED up 0', 'it is to be started');
    is($row->{reason}, 'no supervisor has taken it up yet', 'the reason');
    like($s->get(PAGES . '/metrics')->content,
         qr/^apache_manager_supervisor_up $up$/m, "supervisor_up $up");
    return;
}

sub is_ready {
    my (@names) = @_;
    AMGR::Managed::wait_for($s, $_, 'READY') for @names;
    is($s->get(PAGES . '/ready')->code, 200, "ready with @names");
    return;
}

$s->set_config(config());
$s->start;
is($s->get(PAGES . '/ready')->code, 200, 'nothing is managed: ready');

# ---- it cannot be forked -----------------------------------------------------

$inject->arm(call => 'fork', roles => ['parent'], how => 'EAGAIN', run => 0);
restart('web');
is_starting('web', 0);
like($s->get(PAGES)->content, qr/<strong>No supervisor\.<\/strong>/,
     'the page says so');
is_deeply(JSON::PP::decode_json($s->get('/pymanager/status')->content),
          { status => 'booting' }, 'pymanager does');
my $token = $s->json(PAGES . '/processes')->{token};
my $answer = $s->request('DELETE', PAGES . '/processes',
                         'X-Manager-Token' => $token);
is($answer->code, 503, 'and an order to stop all is not taken for done');
cmp_ok($inject->disarm, '>', 0, 'since it could not be forked');
$s->expect_log(qr/AMGR0040: cannot fork the supervisor/,
               qr/AMGR0011: cannot fork the ticker/,
               qr/AMGR0045: order over HTTP refused: /);
is_ready('web');

# ---- it has not heard of a restart -------------------------------------------

my $supervisor = $s->json(PAGES . '/processes')->{supervisor};
kill 'STOP', $supervisor;
restart('web', 'more');
is_starting('more', 1);
kill 'CONT', $supervisor;
is_ready('web', 'more');

# What is not configured any more is not waited for.
kill 'STOP', $supervisor;
restart('web');
is($s->get(PAGES . '/ready')->code, 200, 'with one less it is ready');
kill 'CONT', $supervisor;
ok(wait_until(sub { !AMGR::Managed::one($s, 'more') }, SOON, 'it goes'),
   'and forgets it');
is_ready('web');
$s->stop_ok;
done_testing();
