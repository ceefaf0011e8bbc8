#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# The tree of a real server with all sorts of children: as root and as an
# ordinary user, while all is well and while nothing answers.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Cli qw(cli);
use AMGR::Httpd qw(wait_until);
use AMGR::Request;
use POSIX ();
use Apache::Test qw(-withtestmore);

my $s = AMGR::Httpd->new(mpm => 'prefork', interval => '200ms',
                         modules => [qw(wsgi alias cgi)]);
my $script = $s->wsgi_script;
# A program that says nothing until it is told to.
my $cgi = $s->write('work/wait.cgi', <<"END", 0755);
#!/bin/sh
exec 3< "@{[$s->path('work/gate')]}"
read line <&3
echo "Content-Type: text/plain"
echo
END
POSIX::mkfifo($s->path('work/gate'), 0666) or die "mkfifo: $!\n";
chmod 0666, $s->path('work/gate');
my $log = $s->path('logs/piped.log');
$s->{config} = <<"END";
WSGIDaemonProcess example processes=2 threads=1 display-name=%{GROUP}
WSGIScriptAlias /app $script process-group=example
ScriptAlias /wait $cgi
CustomLog "|/bin/sh -c 'exec cat >> $log'" common
END
$s->start;
my $parent = $s->parent_pid;
my @url = ('--url', $s->url('/manager-status'));

# Rows by pid: user, memory, kind and what follows.
sub tree {
    my ($how, @args) = @_;
    my $r = cli({ env => { LC_ALL => 'C.UTF-8' }, %$how }, 'tree', @args);
    utf8::decode($r->{out});
    for (split /\n/, $r->{out}) {
        my ($pid, $user, $rss, $rest)
            = /^ *(\d+) (\S+) +(\S+) +\S+ +(\S.*)/ or next;
        $r->{rows}{$pid} = { user => $user, rss => $rss, rest => $rest };
    }
    return $r;
}

sub kinds {
    my ($r) = @_;
    my %kinds;
    for (values %{ $r->{rows} }) {
        my ($kind) = $_->{rest} =~ /(parent|worker|helper|wsgi:\w+|piped\ log
                                    |program|CGI|process|daemon)\b/x;
        $kinds{ $kind // '?' }++;
    }
    return \%kinds;
}

# ---- all sorts ----------------------------------------------------------------

my $request = $s->start_request('/wait');
binmode Test::More->builder->$_, ':encoding(UTF-8)'
    for qw(output failure_output);
my $r;
ok(wait_until(sub { $r = tree({}, @url); ($r->{out} =~ /\bCGI\b/) }, 20,
              'the program of the request'), 'a CGI program is one');
is($r->{code}, 0, 'success');
is($r->{err}, '', 'nothing on standard error');
my $kinds = kinds($r);
is($kinds->{parent}, 1, 'one parent');
my @workers = $s->workers;
is($kinds->{worker}, scalar(@workers), 'the workers');
is($kinds->{'wsgi:example'}, 2, 'the daemons by their group');
is($kinds->{'piped log'}, 1, 'the piped log');
is($kinds->{helper}, 1, "the module's own");
like($r->{rows}{$parent}{rest}, qr/apache2 .*-f \S+httpd\.conf/,
     "the parent's command");
like($r->{out}, qr/\x{251c}\x{2500} .*\x{2514}\x{2500} /s, 'drawn as a tree');
my $count = keys %{ $r->{rows} };
like($r->{out}, qr/^\Q$count\E processes, [\d.]+[KMG] resident$/m, 'the sum');
is(scalar(grep { $_->{rss} !~ /^[\d.]+[BKMG]$/ } values %{ $r->{rows} }), 0,
   'memory of each');
is_deeply([sort { $a <=> $b } grep { $_ != $parent } keys %{ $r->{rows} }],
          [sort { $a <=> $b } grep { $_ != $parent } $s->all_pids],
          'nobody is left out');
like(tree({ env => { LC_ALL => 'C' } }, @url)->{out}, qr/\A[\x00-\x7f]+\z/,
     'ASCII where that is the locale');

# Directories of a configuration: one that has none, and one of this server.
my $nowhere = $s->path('nowhere');
my $configured = $s->path('configured');
mkdir $_ or die "$_: $!\n" for $nowhere, $configured;
$s->write('configured/apache2.conf', "Listen 127.0.0.1:@{[$s->port]}\n");
my $lost = AMGR::Httpd->new(mpm => 'prefork', interval => '200ms');
$lost->start;
my $other = $lost->parent_pid;
my @all = (env => { LC_ALL => 'C.UTF-8', APACHE_CONFDIR => $nowhere });
my @one = (env => { LC_ALL => 'C.UTF-8', APACHE_CONFDIR => $configured });
$r = tree({ @all });
like($r->{rows}{$_}{rest} // '', qr/\bparent\b/,
     "without a configuration all are shown: $_") for $parent, $other;
$r = tree({ @one });
is($r->{err}, '', 'nothing on standard error');
is_deeply([grep { ($_->{rest} // '') =~ /^parent/ } values %{ $r->{rows} }],
          [$r->{rows}{$parent}], 'with one its server alone');

# ---- an ordinary user ---------------------------------------------------------

if ($> == 0) {
    chmod 0755, $s->root, $nowhere, $configured;
    $r = tree({ as_user => 65534, @all });
    is($r->{code}, 0, 'an ordinary user: success') or diag($r->{err});
    like($r->{rows}{$parent}{rest} // '', qr/\bparent\b/,
         'an ordinary user sees the parent');
    is($r->{rows}{$_}{user}, 'www-data', "worker $_ is www-data's")
        for $s->workers;
}

# ---- a server without its parent ----------------------------------------------

my @orphans = $lost->workers;
kill 'KILL', $other;
ok(wait_until(sub { !$lost->is_running }, 10, 'its end'), 'a parent ends');
$r = tree({ @all });
like($r->{rows}{$_}{rest} // '', qr/^orphaned worker\b/, "$_ is an orphan")
    for @orphans;
# Tests elsewhere may have others.
my $ours = join '|', @orphans;
my @groups = grep { /^ +(?:$ours) /m } split /^(?= +PID )/m, $r->{out};
is(scalar(@groups), 1, 'they are shown together');
like($groups[0] // '', qr/^httpd's parent has ended/m, 'and it is said why');
$lost->stop;

# ---- nothing answers ----------------------------------------------------------

open my $gate, '>', $s->path('work/gate') or die "gate: $!\n";
print {$gate} "go\n";
close $gate;
$request->close_now;
my @stopped = $s->workers;
kill 'STOP', @stopped;
$r = tree({ timeout => 10 }, @url);
is($r->{code}, 0, 'the server hangs: success') or diag($r->{err});
is(scalar(grep { $r->{rows}{$_} } @stopped), scalar(@stopped),
   'all its workers are there');
cmp_ok($r->{seconds}, '<', 5, 'without waiting for it');
kill 'CONT', @stopped;
$s->stop_ok;

$r = tree({}, @url);
is($r->{code}, 1, 'no server');
is($r->{out}, '', 'nothing on standard output');
like($r->{err}, qr/\Aapache-manager: no httpd listens at port \d+ .*\n\z/,
     'one line says so');
$r = tree({}, '--url', 'http://192.0.2.1/');
is($r->{code}, 1, 'another machine');
like($r->{err}, qr/\Aapache-manager: 192\.0\.2\.1 is not this machine.*\n\z/,
     'one line says so');
is(tree({}, '--url', 'nonsense://')->{code}, 2, 'no address');
$r = tree({ @one });
is($r->{code}, 1, 'a configured server that does not run');
like($r->{err}, qr{\Aapache-manager: the httpd of \S+/apache2\.conf does not run: none listens at port \d+ of 127\.0\.0\.1: choose another with --url\n\z},
     'is told of');
done_testing();
