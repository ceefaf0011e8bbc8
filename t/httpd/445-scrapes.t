#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# A thousand requests for each format of the status, fifty at a time, of a
# server with a thousand slots of which half are busy, and with four hundred
# processes below it: all are answered, and the ticker goes on meanwhile.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Httpd qw(wait_until);
use AMGR::Request;
use Apache::Test qw(-withtestmore);

use constant { BUSY => 500, ALL => 1000, AT_A_TIME => 50, SOON => 60 };

my $s = AMGR::Httpd->new(mpm => 'event', interval => '500ms',
                         mpm_config => <<'SIZES');
StartServers 40
ServerLimit 40
ThreadLimit 25
ThreadsPerChild 25
MinSpareThreads 1000
MaxSpareThreads 1000
MaxRequestWorkers 1000
SIZES
my $module = $s->build_object('mod_hold');
$s->{config} = <<"END";
Timeout 300
LoadModule hold_module $module
<Location "/held">
    SetHandler hold
</Location>
<ManagedProcess many>
    Command /bin/sh -c "for i in \$(seq 360); do sleep 1000 & done; exec sleep 1000"
    PassEnv AMGR_TEST_SERVER
</ManagedProcess>
END
$s->start;
ok($s->wait_ticks(2), 'it ticks');
# One has the lock, the others wait for it: all are busy.
my @held = map { $s->start_request('/held?secs=60') } 1 .. BUSY;
ok(wait_until(sub { $s->json->{server}{busy_workers} >= BUSY }, SOON, 'busy'),
   BUSY . ' workers are busy');
ok(wait_until(sub { $s->json->{managed}[0]{tree} >= 360 }, SOON, 'processes'),
   'and four hundred processes run');
my $program = AMGR::Httpd::find_program('AB', 'ab');
for my $path ('/manager-status', map { "/manager-status/$_" }
              qw(status.json metrics metrics.txt)) {
    my $ticks = $s->json->{manager}{ticks};
    my $command = join ' ', $program, '-q -l -s 120 -n', ALL, '-c', AT_A_TIME,
        $s->url($path);
    my $said = `$command 2>&1`;
    my %count = $said =~ /^([\w -]+):\s+(\d+)\s*$/mg;
    is($count{'Complete requests'}, ALL, "$path: all are answered")
        or diag($said);
    is(($count{'Failed requests'} // 'none')
       . ' ' . ($count{'Non-2xx responses'} // 0), '0 0', "$path: and well");
    note(map { "$path: $_ ms\n" } $said =~ /^ +(\d+%\s+\d+)/mg);
    ok(wait_until(sub { $s->json->{manager}{ticks} > $ticks }, SOON, 'a tick'),
       "$path: ticks go on");
}
is($s->json->{manager}{errors}{$_}, 0, "no error of $_")
    for qw(proc ticker scoreboard);
$_->close_now for @held;
# Who waits in a lock does not end in order.
$s->expect_log(qr/AH00046: |AMGR0025: /);
kill KILL => $s->workers;
$s->stop_ok;
done_testing();
