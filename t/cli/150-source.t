#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Where the tool learns what it says: from the board as long as it may, from a
# page else, from the data file last; and that it says where it looked.
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

use constant { USER => 65534, WORKERS => 4, HOUR => 3600 };

my $second_port = AMGR::Httpd::free_port();
my $s = AMGR::Httpd->new(mpm => 'prefork', interval => '200ms', detach => 1,
                         modules => ['status'], mpm_config => <<'END',
StartServers 4
MinSpareServers 4
MaxSpareServers 4
ServerLimit 4
MaxRequestWorkers 4
END
                         config => <<"END")->start;
Listen 127.0.0.1:$second_port
ManagerMaxMemoryIdle 900M
END
my $other = AMGR::Httpd->new(mpm => 'event', manager => 0, location => 0,
                             modules => ['status'], config => <<'END')->start;
<Location "/server-status">
    SetHandler server-status
    Require local
</Location>
END
my %env = (APACHE_CONFDIR => $s->path('conf'));
my $url = $s->url('');
$s->wait_ticks(2);

# What the tool says, and from where ("-v" tells).
sub run {
    my @args = @_;
    my %o = ref $args[0] ? %{ shift @args } : ();
    return cli({ timeout => 20, env => \%env, %o }, '-v', @args);
}

sub is_from {
    my ($source, $what, @args) = @_;
    my $r = run(@args);
    is($r->{code}, 0, "$what: it succeeds") or diag($r->{err});
    like($r->{err}, qr/read from \S+ \(\Q$source\E/, "$what: from $source");
    return $r;
}

# One line on standard error, which says these; nothing on standard output.
sub fails {
    my ($code, $what, $patterns, @args) = @_;
    my %o = ref $args[0] ? %{ shift @args } : ();
    my $r = cli({ timeout => 20, env => \%env, %o }, @args);
    is($r->{code}, $code, "$what: exit code $code");
    is($r->{out}, '', "$what: nothing is printed");
    like($r->{err}, qr/\Aapache-manager: [^\n]+\n\z/, "$what: in one line");
    like($r->{err}, $_, "$what: it says so") for @$patterns;
    return $r;
}

sub decoded { return JSON::PP->new->utf8->decode($_[0]) }

# ---- the board --------------------------------------------------------------

sub agrees_with_the_server {
    my $r = is_from('board', 'root without a URL', '--json');
    is_deeply([schema_errors($r->{out})], [], 'its status.json is valid');
    my ($mine, $its) = (decoded($r->{out}), $s->json);
    is_deeply($mine->{limits}, $its->{limits}, 'limits are the server\'s');
    for my $key (qw(version mpm generation max_workers
                    memory_capacity_bytes)) {
        is($mine->{server}{$key}, $its->{server}{$key}, "so is $key");
    }
    is_deeply([map { [@$_{qw(pid slot kind group)}] } @{ $mine->{processes} }],
              [map { [@$_{qw(pid slot kind group)}] } @{ $its->{processes} }],
              'and so are the processes');
    for my $keys (sub { $_[0] }, map { my $k = $_; sub { $_[0]{$k} } }
                  qw(server manager history)) {
        is_deeply([sort keys %{ $keys->($mine) }],
                  [sort keys %{ $keys->($its) }], 'nothing is left out');
    }
    my ($slot) = map { @{ $_->{slots} } } @{ $mine->{processes} };
    my ($shown) = map { @{ $_->{slots} } } @{ $its->{processes} };
    is_deeply([sort keys %$slot], [sort keys %$shown], 'of a slot neither');
    cmp_ok(abs($mine->{server}{uptime_seconds}
               - $its->{server}{uptime_seconds}), '<', 5, 'uptimes agree');
    return;
}

agrees_with_the_server();
is_from('board', 'by URL', '--url', $url);
is_from('board', 'by name', '--url', 'http://localhost:' . $s->port);
is_from('board', 'by the page', '--url', "$url/manager-status/");
is_from('board', 'by its JSON', '--url', "$url/manager-status/status.json");
is_from('board', 'by its text', '--url', "$url/manager-status?auto");
is_from('board', 'at its second port', '--url',
        "http://127.0.0.1:$second_port");

my $r = run('-c', '-f', '-');
like($r->{out}, qr/^native-worker-count\t4$/m, 'workers are counted');
like($r->{out}, qr/^memory-usage\tnative\tcount\t4$/m, 'and their memory is');

# ---- boards that are none ---------------------------------------------------

# A directory that the configuration names, with a board of this making; the
# pages of the server answer in its stead.
sub forged {
    my ($what, $why, $make) = @_;
    my $dir = $s->path('work/forged');
    -d $dir or mkdir $dir or die "$dir: $!\n";
    my $file = "$dir/apache-manager.board";
    unlink $file;
    $make->($file);
    my $config = AMGR::Httpd::slurp($s->path('conf/httpd.conf'));
    $config =~ s/^DefaultRuntimeDir .*/DefaultRuntimeDir "$dir"/m or die;
    $config =~ s/^Listen .*\n//mg;
    $s->write('work/forged/apache2.conf', $config . "Listen 127.0.0.1:1\n");
    fails(1, $what, [$why, qr/127\.0\.0\.1:1/],
          { env => { APACHE_CONFDIR => $dir } });
    unlink $file;
    return;
}

sub board_bytes {
    open my $in, '<:raw', $s->board_file or die "board: $!\n";
    local $/;
    return scalar readline $in;
}

sub put {
    my ($file, $bytes, $mode) = @_;
    open my $out, '>:raw', $file or die "$file: $!\n";
    print {$out} $bytes;
    close $out or die "$file: $!\n";
    chmod $mode // 0600, $file;
    return;
}

my $bytes = board_bytes();
forged('no board', qr/board in \S+forged: none/, sub { });
forged('an empty file', qr/board \S+: not a board/, sub { put($_[0], '') });
forged('half a board', qr/not a board, or not all of it/, sub {
    put($_[0], substr $bytes, 0, length($bytes) / 2);
});
forged('another version', qr/of another version of the module/, sub {
    my $copy = $bytes;
    substr($copy, 8, 4) = pack 'L', 99;
    put($_[0], $copy);
});
forged('another time', qr/left behind by a server that has ended/, sub {
    my $copy = $bytes;
    substr($copy, 24, 8) = pack 'Q', 1; # its start
    put($_[0], $copy);
});
forged('another user', qr/not a file that its server alone writes/, sub {
    put($_[0], $bytes);
    chown USER, USER, $_[0] or die "chown: $!\n";
}) if AMGR::Httpd::is_root();
forged('a group', qr/not a file that its server alone writes/, sub {
    put($_[0], $bytes, 0660);
});
forged('a link', qr/not a file that its server alone writes/, sub {
    symlink $s->board_file, $_[0] or die "symlink: $!\n";
});
forged('a FIFO', qr/not a file that its server alone writes/, sub {
    POSIX::mkfifo($_[0], 0600) or die "mkfifo: $!\n";
});
forged('a directory', qr/not a file that its server alone writes/, sub {
    mkdir $_[0] or die "mkdir: $!\n";
});
rmdir $s->path('work/forged/apache-manager.board');

# ---- configurations ---------------------------------------------------------

# What only a configuration says, in a directory of its own.
sub configured {
    my ($lines) = @_;
    my $dir = $s->path('work/configured');
    -d $dir or mkdir $dir or die "$dir: $!\n";
    $s->write('work/configured/apache2.conf',
              "DefaultRuntimeDir $dir\nInclude ports.conf\n");
    $s->write('work/configured/ports.conf', $lines);
    return { env => { APACHE_CONFDIR => $dir } };
}

fails(1, 'no Listen line', [qr{configured/apache2\.conf and its includes have no Listen line with address and port: choose with --url\n\z}],
      configured('ServerName x'));
fails(1, 'a port of the configuration',
      [qr{127\.0\.0\.1:1/\S+ connection refused \(Listen of \S+/configured/ports\.conf\)},
       qr/: is Apache started\? --url names another\n\z/],
      configured('Listen 127.0.0.1:1'));
{
    my $bad = cli(configured("Listen x:y:z\nListen " . $s->port), '-cf-');
    is($bad->{code}, 0, 'a bad Listen line is passed over');
    like($bad->{err}, qr{\Aapache-manager: \S+/ports\.conf:1: Listen 'x:y:z' has no address and port\n\z},
         '... with a warning');
}

# ---- addresses --------------------------------------------------------------

for my $bad ('', 'ftp://localhost/', 'localhost:80', 'http://', 'http://:80',
             'http://localhost:0', 'http://localhost:99999',
             'http://localhost:80x', 'http://[::1', "http://local\nhost") {
    (my $name = $bad) =~ s/\n/\\n/;
    fails(2, "'$name'", [qr/--url/], '--url', $bad);
}
fails(1, 'nobody there', [qr{no server: http://127\.0\.0\.1:1/}],
      '--url', 'http://127.0.0.1:1/manager-status');

# ---- an ordinary user -------------------------------------------------------

my %user = (as_user => USER);
my $can_change = AMGR::Httpd::is_root(); # else the server is the user's own

sub as_user {
    is_from('status.json', 'a user without a URL', \%user);
    is_from('status.json', 'a user with one', \%user, '--url', $url);
    return;
}

as_user() if $can_change;

# Every worker waits for the rest of a request.
sub hold_all {
    my @held;
    for (1 .. WORKERS) {
        my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                           PeerPort => $s->port)
            or die "connect: $!\n";
        $socket->print("GET / HTTP/1.1\r\nHost: x\r\n");
        push @held, $socket;
    }
    wait_until(sub {
        run('-c', '-f', '-')->{out} =~ /^busy-workers\t${\ WORKERS}$/m;
    }, 20, 'every worker is busy') or die "not busy\n";
    return @held;
}

sub while_all_are_busy {
    my @held = hold_all();
    my $root = is_from('board', 'root and a busy server');
    cmp_ok($root->{seconds}, '<', 1, 'within a second');
    return unless $can_change;
    my $user = is_from('data file', 'a user and a busy server', \%user);
    cmp_ok($user->{seconds}, '<', 1, 'within a second');
    like($user->{out} . $user->{err}, qr/ago|old/, 'and it tells its age');
    for my $args (['--url', $url], ['--once'], ['--once', '--url', $url]) {
        $user = cli({ timeout => 20, env => \%env, %user }, @$args);
        is($user->{code}, 0, "a user, @$args: it succeeds");
        cmp_ok($user->{seconds}, '<', 1, 'within a second');
    }
    return;
}

while_all_are_busy();

# ---- servers that come and go -----------------------------------------------

sub pids { return [sort map { $_->{pid} } @{ decoded($_[0])->{processes} }] }

sub mine_are_children {
    my ($what) = @_;
    my $r;
    # Who has just gone is of the last tick.
    ok(wait_until(sub {
        $r = run('--json');
        my %child = map { $_ => 1 } $s->children;
        my $pids = $r->{code} == 0 ? pids($r->{out}) : [];
        return @$pids && !grep { !$child{$_} } @$pids;
    }, 20, $what), $what);
    like($r->{err}, qr/\(board/, 'from the board');
    return;
}

my $third_port = AMGR::Httpd::free_port();
$s->set_config("$s->{config}Listen 127.0.0.1:$third_port\n");
$s->restart;
mine_are_children('after a restart its new workers are seen');
is_from('board', 'at a port that is new', '--url',
        "http://127.0.0.1:$third_port");
$s->set_config($s->{config} =~ s/Listen 127\.0\.0\.1:$third_port\n//r);
$s->graceful;
ok(wait_until(sub {
    return run('--url', "http://127.0.0.1:$third_port")->{code} == 1;
}, 20, 'nobody listens there'), 'a port that is gone is nobody\'s');
mine_are_children('and after a graceful one');

unlink $s->board_file or die "board: $!\n";
is_from('status.json', 'a board that is gone');
my $killable;
# Those of the restart are seen at the next tick.
ok(wait_until(sub {
    $killable = decoded(run('--json')->{out});
    return @{ $killable->{processes} } >= WORKERS;
}, 20, 'all of them'), 'says all the same');

$r = is_from('mod_status', 'a server without the module', '--url',
             $other->url(''));
like($r->{out}, qr/Memory usage of .*Apache workers \(2 workers\)/,
     'its processes are found all the same');
is_from('mod_status', 'and of a user', \%user, '--url',
        $other->url('/server-status')) if $can_change;

# Tests of other servers may run meanwhile.
for my $args ([], ['-z']) {
    fails(1, "no configuration and two servers: @$args",
          [qr/several servers run here: pid \d+ \(\S+\), pid \d+/, qr/--url/],
          { env => { APACHE_CONFDIR => '/nonexistent' } }, @$args);
}

# ---- a server that is not there ---------------------------------------------

sub left_behind {
    $s->start; # with a board again
    $s->wait_ticks(1);
    wait_until(sub { -s $s->data_file }, 20, 'a data file');
    my @gone = ($s->parent_pid, $s->children);
    kill 'STOP', $s->parent_pid; # it shall forget nothing
    kill 'KILL', reverse @gone;
    wait_until(sub { !grep { AMGR::Httpd::is_alive($_) } @gone }, 20,
               'it has gone');
    ok(-e $s->board_file && -e $s->data_file, 'it leaves its files');
    fails(1, 'a server that was killed',
          [qr/board \S+: left behind by a server that has ended/,
           qr/connection refused/i,
           qr/data file \S+: not read, since its server does not run/]);
    unlink $s->board_file, $s->data_file;
    return;
}

$s->stop_ok;
fails(1, 'a server that was stopped',
      [qr/board in \S+: none/, qr/connection refused/i]);
left_behind();
$other->stop_ok;
done_testing();
