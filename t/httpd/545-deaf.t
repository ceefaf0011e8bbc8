#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# A child whose pipe of death cannot be told cannot be asked: it says so, and
# is killed when it is idle, or after its grace period.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Httpd qw(wait_until);
use Apache::Test qw(-withtestmore);

sub server {
    my ($mpm, $name, $grace) = @_;
    my $s = AMGR::Httpd->new(mpm => $mpm, interval => '200ms',
                             modules => ['wsgi'], name => "$mpm-$name");
    my $object = $s->build_object('mod_pipe');
    my $script = $s->wsgi_script;
    $s->{config} .= <<"END";
LoadModule pipe_module $object
WSGIScriptAlias /app $script
ManagerMinAge 1ms
ManagerStrikes 3
ManagerGracePeriod $grace
ManagerMaxMemoryActive 150M
ManagerMaxMemoryIdle 150M
END
    return $s->start;
}

# Nobody asks a page before the worker is gone: it could be one that is lost.
sub record {
    my ($s, $pid) = @_;
    my $record;
    ok(wait_until(sub { !AMGR::Httpd::is_alive($pid) }, 60, 'its end'),
       $s->name . ": $pid is gone");
    wait_until(sub {
        ($record) = grep { $_->{outcome} eq 'gone' } @{ $s->json->{kills} };
        $record;
    }, 30, 'a finished record');
    return $record // {};
}

# Children of the server with more memory than the limit.
sub fat {
    my ($s) = @_;
    return grep {
        my (undef, $pages) = split ' ', AMGR::Httpd::slurp("/proc/$_/statm");
        ($pages // 0) * 4096 > 200 << 20;
    } $s->children;
}

# All servers at once: what they wait for is time.
my @tests = map { idle($_), busy($_) } qw(worker event);
$_->() for @tests;
done_testing();

# What is to be asserted, later.
sub idle {
    my ($mpm) = @_;
    my $s = server($mpm, 'idle', '1h');
    my $leaked = $s->get('/app/leak?mb=200');
    is($leaked->code, 200, "$mpm: 200 MB leaked");
    my ($pid) = $leaked->content =~ /^pid=(\d+)/;
    return sub {
        my $record = record($s, $pid);
        is($record->{ask_fault}, 'no_pipe', "$mpm: it cannot be asked");
        is($record->{action}, 'kill', 'and is killed');
        is($record->{requests_lost}, 0, "$mpm: without a request in it");
        is(scalar(my @l = $s->log_lines(
            qr/\[apache_manager:warn\].*AMGR0019: .*cannot be asked/)),
           1, "$mpm: which the log says once");
        $s->expect_log(qr/AMGR0019: /);
        $s->stop_ok;
    };
}

sub busy {
    my ($mpm) = @_;
    my $s = server($mpm, 'busy', '3s');
    my $request = $s->start_request('/app/leak?mb=200&s=60');
    my $pid;
    ok(wait_until(sub { ($pid) = fat($s) }, 30, 'memory'),
       "$mpm: 200 MB leak");
    return sub {
        my $record = record($s, $pid);
        is($record->{ask_fault}, 'no_pipe', "$mpm: a busy one cannot either");
        cmp_ok($record->{killed_seconds} - $record->{asked_seconds}, '>=', 3,
               'and has its grace period');
        is($record->{requests_lost}, 1, "$mpm: that request is lost");
        ok($request->wait(30), 'it ends');
        $s->expect_log(qr/AMGR0019: /, qr/\[wsgi:error\]/);
        $s->stop_ok;
    };
}
