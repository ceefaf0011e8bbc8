#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Workers that end while this module is out of the configuration: nobody tells
# it, and those that are there when it is back have their rows.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Case::Retire;
use AMGR::Httpd qw(wait_until);
use Apache::Test qw(-withtestmore);

use constant SOON => 30;

# As many as there can be: each row is needed.
my $s = AMGR::Case::Retire::server('prefork', <<'END', name => 'away',
ManagerMaxTime 2s
ManagerStrikes 1
END
    mpm_config => <<'END');
StartServers 4
MinSpareServers 4
MaxSpareServers 4
ServerLimit 4
MaxRequestWorkers 4
END
my $with = $s->{config};
(my $without = $with) =~ s/^Manager.*\n//mg;
my $interval = $s->{interval};
ok($s->wait_ticks(2), 'a tick has seen its workers');
my @before = $s->workers;

$s->{manager} = $s->{location} = 0;
$s->{interval} = undef;
$s->set_config($without);
ok($s->graceful, 'graceful restart without this module');
ok(wait_until(sub { !grep { AMGR::Httpd::is_alive($_) } @before }, SOON,
              'the end of its workers'), 'they end');

$s->{manager} = $s->{location} = 1;
$s->{interval} = $interval;
$s->set_config($with);
ok($s->graceful, 'graceful restart with it');
ok($s->wait_ticks(2), 'a tick has seen others');
my @bare;
ok(wait_until(sub {
    my @native = grep { $_->{kind} eq 'native' } @{ $s->json->{processes} };
    @bare = grep { !@{ $_->{slots} } } @native;
    return @native && !@bare;
}, SOON, 'workers with their slots'), 'each worker has its slot');

my $request = $s->start_request('/app/sleep?s=60');
ok($request->wait(SOON), 'a request that hangs ends');
is($request->status, undef, 'without an answer');
my ($killed) = @{ $s->json->{kills} };
is($killed->{reason}, 'time', 'its worker was ended for the time it took');
ok(!(grep { $_ == ($killed->{pid} // 0) } @before), 'one of those that are there');
is(scalar(my @l = $s->log_lines(qr/AMGR0001/)), 1, 'and no other');
$s->stop_ok;
done_testing();
