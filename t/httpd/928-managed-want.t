#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# A managed process that cannot be started for want of processes, memory or
# descriptors has not failed itself: however long that takes it is started when
# there is what it needs, and RestartLimit does not count it.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Httpd qw(wait_until);
use AMGR::Inject;
use AMGR::Managed;
use Apache::Test qw(-withtestmore);

use constant SOON => 30;

my $s = AMGR::Httpd->new(mpm => 'event');
AMGR::Managed::prepare($s);
my $inject = AMGR::Inject->new($s->path('work/inject'),
                               'mod_apache_manager.so');
$s->{env} = $inject->env;
$s->set_config(AMGR::Managed::section($s, 'web', <<'END'));
RestartDelay 100ms factor=1
RestartLimit 3 in 60s
END
$s->start;

# This role cannot fork.
sub try_without {
    my ($role, $how) = @_;
    my $pid = AMGR::Managed::wait_for($s, 'web', 'READY')->{pid};
    my $starts = AMGR::Managed::one($s, 'web')->{starts};
    $inject->arm(call => 'fork', roles => [$role], how => $how, run => 0);
    kill 'KILL', $pid;
    ok(wait_until(sub { AMGR::Managed::one($s, 'web')->{starts} > $starts + 5 },
                  SOON, 'it is tried'), "$role: it is tried again and again")
        or diag(AMGR::Managed::one($s, 'web')->{reason});
    is(AMGR::Managed::one($s, 'web')->{want}, 'up', 'it is still wanted');
    cmp_ok($inject->disarm, '>', 5, 'which was in vain');
    ok(AMGR::Managed::wait_for($s, 'web', 'READY', $pid), 'then it is there');
    return;
}

$s->expect_log(qr/AMGR0035: process web: /);
try_without('supervisor', 'EAGAIN');
try_without('guard', 'ENOMEM');
$s->stop_ok;
done_testing();
