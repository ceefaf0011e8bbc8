#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Managed processes as the tool shows them, of servers that say they have some:
# the table, JSON, the line of the report, the watch once, and exit code 3
# where one that is wanted is not ready.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Cli qw(cli);
use AMGR::Httpd ();
use Apache::Test qw(-withtestmore);
use IO::Socket::INET;
use JSON::PP ();
use POSIX ();

my $golden = AMGR::Httpd::slurp('t/unit/golden/managed.json');
my $table = AMGR::Httpd::slurp('t/unit/golden/processes.txt');
my $me = $$;
my $server;

END {
    if (defined $server && $$ == $me) {
        my $code = $?;
        kill 'KILL', $server;
        waitpid $server, 0;
        $? = $code;
    }
}

# The server as it is, and changed.
sub changed {
    my ($change) = @_;
    local $_ = $golden;
    $change->();
    return $_;
}

my %answers = (
    all  => $golden,
    none => AMGR::Httpd::slurp('t/unit/golden/prefork.json'),
    well => changed(sub {
        s/"state":"(?!READY|EXITED)\w+","want":"up"/"state":"STOPPED","want":"down"/g;
        s/"hanging":\d+/"hanging":0/;
    }),
    gone => changed(sub {
        s/"want":"up"/"want":"down"/g;
        s/"hanging":\d+/"hanging":0/;
        s/"supervisor":4000/"supervisor":null/;
    }),
    hangs => changed(sub {
        s/"want":"up"/"want":"down"/g;
        s/"hanging":\d+/"hanging":2/;
    }),
);

sub serve {
    my ($client) = @_;
    my $request = <$client> // '';
    while (my $line = <$client>) {
        last if $line eq "\r\n";
    }
    my ($name) = $request =~ m{^GET /(\w+)/status\.json };
    my $body = $answers{ $name // '' };
    print {$client} defined $body
        ? "HTTP/1.1 200 OK\r\nContent-Length: " . length($body) . "\r\n"
          . "Content-Type: application/json\r\nConnection: close\r\n\r\n$body"
        : "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
    return;
}

my $listener = IO::Socket::INET->new(Listen => 50, LocalAddr => '127.0.0.1')
    or die "listen: $!\n";
my $base = 'http://127.0.0.1:' . $listener->sockport;
$server = fork // die "fork: $!\n";
if ($server == 0) {
    $SIG{PIPE} = 'IGNORE';
    alarm 120; # it never outlives this test by long
    while (1) {
        my $client = $listener->accept or next;
        eval { serve($client) };
    }
}
close $listener;

sub of { return ('--url', "$base/$_[0]", @_[1 .. $#_]) }

# What is no UTF-8 was replaced on its way.
sub without_queue { return $_[0] =~ s/^queue .*\n//mr }

my $r = cli(of('all', '--processes'));
is(without_queue($r->{out}), without_queue($table), 'the table');
like($r->{out}, qr/^queue +RUNNING +pid 4007, .*, it says: \\x1b\[2J<b>/m,
     '... in which nothing commands a terminal');
unlike($r->{out}, qr/[\x00-\x09\x0b-\x1f\x7f]/, '... not at all');
is($r->{code}, 3, '... exit code');
is($r->{err}, '', '... nothing to say');

$r = cli(of('all', '--processes', '--json'));
my $said = JSON::PP->new->utf8->decode($r->{out});
is($r->{code}, 3, 'as JSON: exit code');
is($said->{count}, 10, '... count');
is($said->{application}, 'degraded', '... application');
is_deeply($said->{processes}, JSON::PP->new->utf8->decode($golden)->{managed},
          '... the array of status.json');
is(cli(of('all', '--json'))->{out}, $golden, '--json alone is status.json');
is(cli(of('all', '--json'))->{code}, 3, '... exit code');

$r = cli(of('all', '--once'));
is($r->{code}, 3, 'the watch, once: exit code');
like($r->{out}, qr/^Managed  3 ready, 1 FATAL \(solr\), /m, '... in one line');
like($r->{out}, qr/^solr +FATAL +\S+ +5 +5 failures within/m, '... and each');
$r = cli(of('all'));
is($r->{code}, 3, 'the report: exit code');
like($r->{out}, qr/^Managed processes: 3 ready, 1 FATAL \(solr\), /m,
     '... in one line');

# ---- none, all well, and what is none of theirs ------------------------------------

$r = cli(of('none', '--processes'));
is($r->{out}, "No managed processes.\n", 'none');
is($r->{code}, 0, '... exit code');
$r = cli(of('none', '--processes', '--json'));
is_deeply(JSON::PP->new->decode($r->{out}),
          { count => 0, application => 'running', supervisor => undef,
            supervisor_starts => 0, control => JSON::PP::false,
            processes => [] }, '... as JSON');
for my $what ('', '--once') {
    unlike(cli(of('none', $what || ()))->{out}, qr/managed/i,
           "... and not a word of them: $what");
}
for my $what ('--processes', '--once', '--json', '') {
    is(cli(of('well', $what || ()))->{code}, 0, "all are well: $what");
    is(cli(of('gone', $what || ()))->{code}, 3, "nobody watches them: $what");
}
like(cli(of('gone'))->{out}, qr/^Managed processes: no supervisor, 3 ready/m,
     '... said in the report');
is(cli(of('hangs', '--processes'))->{code}, 0,
   'workers that hang are not what was asked for');
is(cli(of('hangs', '--json'))->{code}, 3, '... but here');
# What writes files and ends workers does not fail for a process beside.
is(cli(of('all', '-c', '-f', '-'))->{code}, 0, 'the data file');

done_testing();
