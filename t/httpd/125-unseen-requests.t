#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# What a WSGI daemon is at nobody can see.  One that is killed in the middle of
# a request is never said to have lost none, whether it was asked before, killed
# at once or killed by an order.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Case::Retire;
use AMGR::Control qw(order);
use AMGR::Httpd qw(mpms wait_until);
use AMGR::Schema qw(schema_errors);
use Apache::Test qw(-withtestmore);

use constant { SOON => 60, MB => 1024 * 1024 };

# Asked first, killed at once, and left to an order.
my %section = (
    shop => 'ManagerMaxMemoryActive 150M',
    till => 'ManagerHardMemory 150M',
    desk => 'ManagerMaxMemoryActive Off',
);

sub server {
    my ($mpm) = @_;
    my $s = AMGR::Httpd->new(mpm => $mpm, modules => ['wsgi'],
                             interval => '300ms');
    my $script = $s->wsgi_script;
    $s->{config} = "ManagerMinAge 1s\nManagerSocket control.sock\n"
        . join '', map { <<"END" }
WSGIDaemonProcess $_ processes=1 threads=2 home=/ display-name=%{GROUP}
WSGIScriptAlias /$_ $script process-group=$_
<ManagerGroup $_>
    $section{$_}
</ManagerGroup>
END
        sort keys %section;
    return $s->start;
}

sub nobody_knows {
    my ($s, $group, $pid) = @_;
    my $what = $s->mpm . ": the daemon of $group";
    my $r = AMGR::Case::Retire::record($s, $pid);
    is($r->{action}, 'kill', "$what is killed");
    is($r->{requests_lost}, undef, 'with nobody knows how many requests');
    is($r->{requests}, undef, 'which nobody knew before');
    my ($line) = $s->log_lines(qr/AMGR0017: WSGI worker $pid /);
    like($line, qr/ cut off nobody knows how many requests/, 'as is logged');
    return;
}

for my $mpm (mpms()) {
    my $s = server($mpm);
    # What a killed daemon has to say of itself is mod_wsgi's.
    $s->expect_log(qr/\[wsgi:(?:error|warn)\]/);
    my %pid = map {
        $_ => AMGR::Case::Retire::pid_of($s->get("/$_/pid")->content)
    } sort keys %section;
    my %request = map { $_ => $s->start_request("/$_/leak?mb=200&s=50") }
        sort keys %section;
    nobody_knows($s, $_, $pid{$_}) for qw(shop till);
    AMGR::Case::Retire::all_live("$mpm: desk has no limit", $pid{desk});
    ok(order($s->runtime_file('control.sock'),
             { order => 'retire', max_memory_active_bytes => 150 * MB })->{ok},
       "$mpm: it is ordered away");
    nobody_knows($s, 'desk', $pid{desk});
    for my $group (sort keys %request) {
        ok($request{$group}->wait(SOON), "$mpm: the request to $group ends");
        isnt($request{$group}->status // 'none', 200, 'unanswered');
    }
    is($s->json->{manager}{requests_lost}, 0, 'what is not known is no count');
    is_deeply([schema_errors($s->get('/manager-status/status.json')->content)],
              [], "$mpm: status.json obeys its schema");
    like($s->get('/manager-status')->content,
         qr/nobody knows how many requests in flight/, 'the page says so');
    $s->stop_ok;
}
done_testing();
