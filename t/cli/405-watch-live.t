#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# The watch of servers that look at their workers rarely: one looks when it is
# asked to, of the other time and the kernel tell what goes on.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Httpd ();
use AMGR::Tmux;
use POSIX ();
use Apache::Test qw(-withtestmore);

binmode Test::More->builder->$_, ':encoding(UTF-8)'
    for qw(output failure_output todo_output);

# A server with a CGI program at /wait that waits until it is told to go on.
sub server {
    my ($name, $interval, $config) = @_;
    my $s = AMGR::Httpd->new(mpm => 'prefork', interval => $interval, name => $name,
                             modules => [qw(alias cgi)]);
    my $cgi = $s->write('work/wait.cgi', <<"END", 0755);
#!/bin/sh
exec 3< "@{[$s->path('work/gate')]}"
read line <&3
echo "Content-Type: text/plain"
echo
END
    POSIX::mkfifo($s->path('work/gate'), 0666) or die "mkfifo: $!\n";
    chmod 0666, $s->path('work/gate');
    $s->{config} = "ScriptAlias /wait $cgi\n$config";
    $s->start;
    return $s;
}

sub go_on {
    my ($s, $request) = @_;
    open my $gate, '>', $s->path('work/gate') or die "gate: $!\n";
    print {$gate} "go\n";
    close $gate;
    $request->close_now;
    return;
}

sub watch {
    my ($s, $interval) = @_;
    my $t = AMGR::Tmux->new(120, 24);
    $t->type("apache-manager --watch --interval=$interval --url="
             . $s->url('/manager-status'), 'Enter');
    return $t;
}

# ---- asked -------------------------------------------------------------------

my $s = server('asked', '60s', "ManagerSocket control.sock\n");
my $request = $s->start_request('/wait');
my $t = watch($s, 1);
$t->shows(qr/^ +\d+ native +serving +1\/1 .* [\d.]+s GET \/wait/m,
          'a request that runs');
$t->shows(sub { return $_[0] =~ /\AApache/ && $_[0] !~ /server looks/ },
          'the server looks as often as it is read');
$t->shows(qr/ old, every 1s/, 'the figures are its board');
$t->shows(qr/ [3-9]\.\ds GET \/wait/, 'it goes on');
go_on($s, $request);
$t->shows(sub { return $_[0] !~ /\dm?s GET \/wait/ }, 'and ends');
$t->type('q')->shows(qr/^ready>$/m, 'quit');
$t->end;
$s->stop_ok;

# ---- not asked ---------------------------------------------------------------

$s = server('not asked', '3s', '');
$t = watch($s, 1);
$t->shows(qr/ board\b.*every 1s; server looks every 3s/, 'that is said');
# Where parent and ticker stand still nobody notices an end.
my @workers = sort { $a <=> $b } $s->workers;
my @still = ($s->parent_pid, $s->ticker_pid);
kill 'STOP', @still;
kill 'KILL', $workers[0];
$t->shows(qr/^ +$workers[0] native +gone .* n\/a /m, 'who has gone is seen');
$t->shows(qr/^ +$workers[1] native +serving .*\d[KM] /m, 'who has not, too');
$t->type('/', $workers[1], 'Enter')->shows(sub {
    return $_[0] =~ /^ +$workers[1] native/m
        && $_[0] !~ /^ +$workers[0] native/m;
}, 'a filter leaves one');
$t->type('Escape')->shows(qr/^ +$workers[0] native/m, 'Escape clears it');
$t->type('s')->shows(qr/PID SLOT/, 'slots');
$t->type('I')->shows(sub {
    return $_[0] =~ /busy only/ && $_[0] !~ /^ +\d+ \d+-\d+ +_/m;
}, 'idle ones are hidden');
$t->type('I')->shows(qr/^ +\d+ \d+-\d+ +_/m, 'and shown');
$t->type('q')->shows(qr/^ready>$/m, 'quit');
$t->end;
kill 'CONT', @still;
$s->stop;
done_testing();
