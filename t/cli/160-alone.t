#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Servers without the module that are in trouble: all workers busy, so that no
# page answers; and httpd's parent gone, whose workers serve on.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Cli qw(cli);
use AMGR::Httpd qw(wait_until);
use AMGR::Schema qw(schema_errors);
use Apache::Test qw(-withtestmore);
use IO::Socket::INET;
use JSON::PP ();
use POSIX ();

use constant { WORKERS => 3, USER => 65534 };

my $silence = qr{^apache-manager: the server does not answer \(all workers busy\?\): memory from /proc$}m;
my $orphaned = qr/httpd's parent has ended, its workers still serve: restart it/;
my $memory = qr/^Memory usage of Apache workers \(${\ WORKERS} workers\):\n - Minimum: [\d.]+ MB$/m;

sub server {
    my ($mpm, $shape, %o) = @_;
    return AMGR::Httpd->new(mpm => $mpm, manager => 0, location => 0,
                            modules => ['status', 'cgid'],
                            mpm_config => $shape, config => <<'END', %o)->start;
<Location "/server-status">
    SetHandler server-status
    Require local
</Location>
END
}

sub decoded { return JSON::PP->new->utf8->decode($_[0]) }

# ---- all workers busy -------------------------------------------------------

my $n = WORKERS;
my $s = server('prefork', <<"END", name => 'busy');
StartServers $n
MinSpareServers $n
MaxSpareServers $n
ServerLimit $n
MaxRequestWorkers $n
END
my %env = (APACHE_CONFDIR => $s->path('conf'));
my @held;

# Every worker waits for the rest of a request.
sub hold_all {
    for (1 .. WORKERS) {
        my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                           PeerPort => $s->port)
            or die "connect: $!\n";
        $socket->print("GET / HTTP/1.1\r\nHost: x\r\n");
        push @held, $socket;
    }
    return wait_until(sub {
        my $r = cli({ env => \%env }, '--once', '-v');
        return $r->{err} =~ /no answer within/;
    }, 30, 'nobody answers');
}

sub shows_memory {
    my ($what, $o, @args) = @_;
    my $r = cli($o, @args);
    is($r->{code}, 3, "$what: something is wrong") or diag($r->{err});
    cmp_ok($r->{seconds}, '<', 3, "$what: in time");
    like($r->{err}, $silence, "$what: it says what it shows");
    return $r;
}

# A run that waits goes on beside the rest; what it gives is its result.
sub begin {
    my @args = @_;
    my $pid = open(my $pipe, '-|') // die "fork: $!\n";
    if ($pid == 0) {
        print JSON::PP->new->latin1->encode(eval { cli(@args) } // {});
        close STDOUT;
        POSIX::_exit(0);
    }
    return sub {
        local $/;
        my $text = <$pipe>;
        close $pipe;
        return JSON::PP->new->latin1->decode($text);
    };
}

sub while_busy {
    ok(hold_all(), 'all workers are busy');
    my %root = (env => \%env);
    my $file = $s->path('work/none.txt');
    my $late = begin(\%root, '-c', '-f', $file);
    my $r = shows_memory('the report', \%root);
    like($r->{out}, qr/^ - Busy workers: n\/a$/m, '... no figure of a server');
    like($r->{out}, $memory, '... but the memory of its workers');
    $r = shows_memory('by URL', \%root, '--url', $s->url('/server-status'));
    like($r->{out}, $memory, '... the same');
    $r = shows_memory('JSON', \%root, '--json');
    is_deeply([schema_errors($r->{out})], [], '... which is valid');
    my $json = decoded($r->{out});
    is($json->{server}{busy_workers}, undef, '... with what is not known');
    is(scalar(grep { $_->{kind} eq 'native' && $_->{rss_bytes} > 1 << 20 }
                   @{ $json->{processes} }), WORKERS, '... and what is');
    $r = shows_memory('the watch', \%root, '--once');
    unlike($r->{out}, qr/-1/, '... shows no number that is none');

    while_busy_for_others() if AMGR::Httpd::is_root();

    $r = $late->();
    is($r->{code}, 1, 'the metrics file is not written');
    like($r->{err}, qr/\Aapache-manager: no answer from the server: .*no answer within 10 seconds[^\n]*\n\z/, '... and it says why');
    cmp_ok($r->{seconds}, '>', 8, '... after all the time there is');
    ok(!-e $file, '... at all');
    $_->close for @held;
    return;
}

# Who may not know which server it is takes the only one that runs for it; where
# there are several, as tests elsewhere may have, nobody's memory is shown.
sub while_busy_for_others {
    my $r = cli({ env => \%env, as_user => USER });
    my $is_shown = $r->{code} == 3;
    is($r->{code}, $is_shown ? 3 : 1, 'a user: something is wrong');
    like($r->{err}, $is_shown ? $silence : qr/: no answer from the server: /,
         '... and it is said');
    # Nor may he know who of them listens: cgid's daemon is one of the forks.
    like($r->{out},
         $is_shown ? qr/^Memory usage of Apache workers \((?:$n|@{[$n + 1]}) workers\):\n/m
                   : qr/\A\z/, '... with what is known');
    return;
}

while_busy();
$s->stop_ok;

# ---- the parent is gone -----------------------------------------------------

sub leave_alone {
    my ($server) = @_;
    my @children = $server->children;
    my $parent = $server->parent_pid;
    kill 'KILL', $parent;
    wait_until(sub { !AMGR::Httpd::is_alive($parent) }, 20, 'the parent ends')
        or die "it lives\n";
    return @children;
}

sub end_all {
    my @pids = @_;
    kill 'KILL', @pids;
    return wait_until(sub { !grep { AMGR::Httpd::is_alive($_) } @pids }, 20,
                      'all have ended');
}

sub fails_orphaned {
    my ($what, @args) = @_;
    my $r = cli({ env => \%env }, @args);
    is($r->{code}, 1, "$what: exit code 1");
    is($r->{out}, '', "$what: nothing is printed");
    like($r->{err}, qr/^apache-manager: $orphaned$/m, "$what: it tells why");
    unlike($r->{err}, qr/within|Kill/, "$what: and promises nothing");
    return;
}

sub without_parent {
    my ($mpm) = @_;
    my $server = server($mpm, <<'END', name => "orphans-$mpm");
StartServers 2
MinSpareThreads 4
MaxSpareThreads 8
ThreadsPerChild 4
MaxRequestWorkers 8
END
    %env = (APACHE_CONFDIR => $server->path('conf'));
    my @left = leave_alone($server);
    ok($server->get('/server-status?auto')->is_success, "$mpm: they serve");
    my $r = cli({ env => \%env });
    is($r->{code}, 3, "$mpm: the report: something is wrong");
    like($r->{err}, qr/^apache-manager: $orphaned$/m, '... it says what');
    like($r->{out}, qr/^ - Busy workers: 1$/m, '... and what the page does');
    like($r->{out}, qr/Apache workers \(2 workers\):\n - Minimum: [\d.]+ MB$/m,
         '... and the memory');
    fails_orphaned("$mpm: -c", '-c', '-f', $server->path('work/x'));
    fails_orphaned("$mpm: -k", '-k', '-i', '1K');
    fails_orphaned("$mpm: -n", '-n', '-i', '1K', '--url',
                   $server->url('/server-status'));
    is(scalar(grep { AMGR::Httpd::is_alive($_) } @left), scalar(@left),
       "$mpm: nobody is killed");
    ok(end_all(@left), "$mpm: they are ended");
    return;
}

without_parent('worker');

# With the module: what its board says is of the past.
my $managed = AMGR::Httpd->new(mpm => 'prefork', interval => '200ms',
                               name => 'orphans')->start;
$managed->wait_ticks(2);
%env = (APACHE_CONFDIR => $managed->path('conf'));
my ($url) = $managed->url('');
my @left = leave_alone($managed);
for my $args ([], ['--json'], ['--url', $url]) {
    my $r = cli({ env => \%env }, @$args);
    is($r->{code}, 3, "module: @$args: something is wrong");
    like($r->{err}, qr/$orphaned/, '... it says what');
}
fails_orphaned('module: -c', '-c', '-f', '-');
fails_orphaned('module: -k', '-k', '-i', '1K');
ok(end_all(@left), 'they are ended');
done_testing();
