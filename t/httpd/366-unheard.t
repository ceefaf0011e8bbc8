#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Workers whose beginning this module has not heard of, since it was not in the
# configuration: they are forks of httpd as daemons are, and are never taken for
# one by a section that limits those.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Case::Retire;
use AMGR::Httpd qw(mpms wait_until);
use Apache::Test qw(-withtestmore);

use constant SOON => 30;

my $limits = <<'END';
ManagerInterval 500ms
ManagerMinAge 1s
<ManagerGroup daemon>
ManagerMaxLifetime 3s
</ManagerGroup>
END

sub begin {
    my ($mpm) = @_;
    my $s = AMGR::Httpd->new(mpm => $mpm, manager => 0, location => 0);
    $s->{env}{AMGR_DECOY_DIR} = $s->path('work');
    $s->{env}{AMGR_DECOY} = '/bin/false';
    # As which httpd takes both of them, once they have ended.
    $s->expect_log(qr/AH00\d\d\d: long lost child came home/);
    $s->{without} = "Timeout 300\nLoadModule decoy_module "
        . $s->build_object('mod_decoy') . "\n";
    $s->set_config($s->{without});
    return $s->start;
}

# A request that is held by one of the workers that there are, and the others
# are not; and the pids of all.
sub hold {
    my ($s, $what) = @_;
    my $decoy = AMGR::Httpd::slurp($s->path('work/fork.pid')) + 0;
    my $request = $s->hold_request('/index.html');
    # Another is answered, and so this has been taken.
    is($s->get('/')->code, 200, $s->mpm . ": a request $what");
    # Not before, since a restart may have more of them forked.
    my @workers = grep { $_ != $decoy } $s->children;
    return { server => $s, request => $request, workers => \@workers };
}

sub load {
    my ($s) = @_;
    $s->{manager} = $s->{location} = 1;
    $s->set_config($s->{without} . $limits);
    ok($s->graceful, $s->mpm . ': graceful restart with this module');
    return;
}

# Long enough for whoever is judged.
sub is_spared {
    my ($held) = @_;
    my ($s, $request) = @$held{qw(server request)};
    my $mpm = $s->mpm;
    ok($s->wait_ticks(14), "$mpm: some ticks");
    my %shown = map { $_->{pid} => $_ } @{ $s->json->{processes} };
    my @left = grep { AMGR::Httpd::is_alive($_) } @{ $held->{workers} };
    ok(scalar @left, "$mpm: its worker is there");
    is(join(' ', map { $shown{$_}{verdict} // 'none' } @left),
       join(' ', map { 'exempt' } @left), "$mpm: and not judged");
    $request->let_go;
    ok($request->wait(SOON), "$mpm: the request ends");
    is($request->status, 200, "$mpm: it is answered");
    my $pids = join '|', @{ $held->{workers} };
    is(join("\n", $s->log_lines(qr/AMGR00\d\d: .*\b(?:$pids)\b/)), '',
       "$mpm: nobody is told to go");
    return;
}

my @servers = map { begin($_) } mpms();
my @held = map { hold($_, 'before this module is there') } @servers;
load($_) for @servers;
is_spared($_) for @held;
for my $s (@servers) {
    my $fork = AMGR::Httpd::slurp($s->path('work/fork.pid')) + 0;
    ok(wait_until(sub { $s->log_lines(qr/AMGR0001: .* $fork /) }, SOON,
                  'the daemon'), $s->mpm . ': what is a daemon is');

    $s->{manager} = $s->{location} = 0;
    $s->set_config($s->{without});
    ok($s->graceful, $s->mpm . ': graceful restart without this module');
}
@held = map { hold($_, 'while this module is away') } @servers;
load($_) for @servers;
is_spared($_) for @held;
$_->stop_ok for @servers;
done_testing();
