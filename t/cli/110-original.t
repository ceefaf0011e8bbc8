#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# What the documentation of the Python tool told to type, 1.x and 2.x, typed at
# this one: on a server with the module, on one with mod_status alone, with all
# workers busy, and with the server down.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Cli qw(cli);
use AMGR::Httpd qw(wait_until);
use Apache::Test qw(-withtestmore);
use JSON::PP ();

use constant {
    WORKERS => 4,
    NOBODY  => 65534,
    DAEMONS => "WSGIDaemonProcess example processes=2 threads=1"
        . " display-name=%{GROUP} home=/\n"
        . "WSGIDaemonProcess shop processes=1 threads=1"
        . " display-name=%{GROUP} home=/\n",
};

my $is_root = $> == 0;

sub server {
    my (%o) = @_;
    my $s = AMGR::Httpd->new(
        mpm => 'prefork', modules => ['wsgi', 'status'],
        mpm_config => "StartServers @{[WORKERS]}\n"
            . "MinSpareServers @{[WORKERS]}\nMaxSpareServers 8\n"
            . "ServerLimit @{[WORKERS]}\nMaxRequestWorkers @{[WORKERS]}\n",
        %o);
    my $script = $s->wsgi_script;
    $s->{config} .= DAEMONS . <<"END";
ExtendedStatus On
<Location "/server-status">
    SetHandler server-status
    Require local
</Location>
WSGIScriptAlias /app $script
END
    return $s->start;
}

sub slurp { return AMGR::Httpd::slurp($_[0]) }

# Keys of a data file in their order, and the shapes of their values.
my @global = qw(busy-workers bytes-per-request bytes-per-second cpu-load
                idle-workers requests-per-second total-accesses total-traffic
                uptime);
my @manager = qw(foreign-worker-count native-worker-count status-response
                 workers-hanging workers-killed-active workers-killed-idle);
my %float = map { $_ => 1 } qw(bytes-per-request bytes-per-second cpu-load
                               requests-per-second);

sub expected_file {
    my @groups = @_;
    my $value = sub { $float{$_[0]} ? '\d+\.\d+' : '\d+' };
    my $memory = sub {
        my ($group) = @_;
        return join '', map { "memory-usage\t$group\t$_\n" }
            'count\t\d+', 'min\t\d+', 'max\t\d+', 'average\t\d+\.\d+',
            'median\t\d+(?:\.[05])?';
    };
    my $text = "# Global Apache server metrics.\n"
        . join('', map { "$_\t" . $value->($_) . "\n" } @global)
        . "\n# Metrics internal to apache-manager.\n"
        . join('', map { "$_\t" . $value->($_) . "\n" } @manager)
        . "\n# Memory usage of native Apache worker processes.\n"
        . $memory->('native')
        . join '', map { "\n# Memory usage of '$_' WSGI worker processes.\n"
                         . $memory->($_) } @groups;
    return qr/\A$text\z/;
}

my $file_shape = expected_file('example', 'shop');

sub is_file_ok {
    my ($text, $what) = @_;
    like($text, $file_shape, "$what: the data file, key by key");
    return AMGR::Httpd->data($text);
}

my $group = ' - Minimum: [\d.]+ MB\n - Average: [\d.]+ MB\n'
    . ' - Maximum: [\d.]+ MB\n';
my $report = qr{\AServer\ metrics:\n
    \ -\ Busy\ workers:\ \d+\n
    \ -\ Bytes\ per\ request:\ (?:n/a|[\d.]+\ (?:bytes?|[KM]B))\n
    \ -\ Bytes\ per\ second:\ (?:n/a|[\d.]+\ (?:bytes?|[KM]B))\n
    \ -\ Cpu\ load:\ (?:n/a|\d+\.\d%)\n
    \ -\ Idle\ workers:\ \d+\n
    \ -\ Requests\ per\ second:\ (?:n/a|\d+\.\d+)\n
    \ -\ Total\ accesses:\ \d+\n
    \ -\ Total\ traffic:\ [\d.]+\ (?:bytes?|[KM]B)\n
    \ -\ Uptime:\ [\w, ]+\n\n
    Memory\ usage\ of\ main\ Apache\ workers\ \(\d+\ workers\):\n
    (?-x:$group)\n
    Memory\ usage\ of\ WSGI\ process\ group\ 'example'\ \(2\ workers\):\n
    (?-x:$group)\n
    Memory\ usage\ of\ WSGI\ process\ group\ 'shop'\ \(1\ worker\):\n
    (?-x:$group)}x;

sub names_of {
    my ($text) = @_;
    my $json = eval { JSON::PP->new->utf8->decode($text) } or return "$@";
    return join ' ', map { $_->{'{#NAME}'} } @{ $json->{data} };
}

# Every daemon has its title, and a tick has seen it.
sub wait_for_groups {
    my ($s, $source) = @_;
    return ok(wait_until(sub { names_of($source->()) eq
                               'native example shop' }, 30, 'all groups'),
              $s->name . ': the groups are there');
}

# ---- what both kinds of server answer ----------------------------------------

sub invocations {
    my ($s, @url) = @_;
    my $name = $s->name;
    my $file = $s->path('work/metrics.txt');

    my $r = cli(@url);
    is($r->{code}, 0, "$name: without options: exit code");
    is($r->{err}, '', '... nothing on standard error');
    like($r->{out}, $report, '... the report, line by line');
    $r = cli(@url, '--verbose', '--quiet');
    like($r->{out}, $report, '--verbose --quiet: the same');

    for my $args (['-f', '-'], ['-c', '-f', '-'], ['-cf-'],
                  ['--collect-metrics', '--data-file=-']) {
        $r = cli(@url, @$args);
        is("$r->{code} $r->{err}", '0 ', "$name: @$args: exit code");
        is_file_ok($r->{out}, "@$args");
    }
    for my $args (['-c', '-f', $file], ['-q', '-f', $file],
                  [qw(--collect-metrics --kill-workers --quiet),
                   "--data-file=$file"]) {
        unlink $file;
        $r = cli(@url, @$args);
        is("$r->{code} $r->{out}$r->{err}", '0 ', "$name: @$args: in silence");
        is_file_ok(slurp($file), "@$args");
        is((stat $file)[2] & 07777, 0644, '... readable by an agent');
    }
    unlink $file;
    $r = cli(@url, '-f', $file);
    like($r->{out}, $report, "$name: -f FILE as in 1.x: the report");
    is_file_ok(slurp($file), '... and the file');
    is(join(' ', glob $s->path('work/.metrics*')), '', '... with no rest');

    $r = cli(@url, '-z');
    is("$r->{code} $r->{err}", '0 ', "$name: -z: exit code");
    is(names_of($r->{out}), 'native example shop', '... the groups');
    is(cli(@url, '--zabbix-discovery')->{out}, $r->{out}, '... or in full');
    return;
}

# ---- dry runs -------------------------------------------------------------------

sub dry_runs {
    my ($s, @url) = @_;
    my $name = $s->name;
    my $file = $s->path('work/dry.txt');
    my @before = $s->children;

    # Without the module nobody is judged who has just been forked.
    ok(wait_until(sub {
        cli(@url, qw(-n -i 1K -a 1K))->{err} =~ /^apache-manager: Would kill @{[WORKERS + 3]} of/m;
    }, 30, 'everybody over a limit'), "$name: everybody is over a limit");
    for my $args ([qw(-n -k -i 1K)], [qw(-n -i 1K)], [qw(--simulate -i1K)],
                  [qw(--dry-run --kill-workers --max-memory-idle=1K)],
                  [qw(-n -a 1K -i 1K -t 1s)]) {
        my $r = cli(@url, @$args);
        is($r->{code}, 0, "$name: @$args: exit code");
        is($r->{out}, '', '... nothing on output');
        like($r->{err},
             qr/^apache-manager: Would kill native worker \d+ \(idle\)/m,
             '... whom it would kill');
        like($r->{err},
             qr/^apache-manager: Would kill \d of \d+ Apache workers\.$/m,
             '... and how many');
        unlike($r->{err}, qr/Killed|^apache-manager: Killing/m,
               '... and no word of having done it');
    }
    my $r = cli(@url, qw(-n -k -a 1K));
    like($r->{err}, qr/Would kill WSGI worker \d+ \(example\)/,
         "$name: WSGI workers obey the limit of active ones");
    $r = cli(@url, qw(-n -k -i 1K -c -f), $file);
    is("$r->{code} " . (-e $file ? 'file' : ''), '0 ',
       "$name: no file is written in a dry run");
    $r = cli(@url, qw(-n -k -i 1K -c -f -));
    cmp_ok(is_file_ok($r->{out}, 'a dry run to -')->{'workers-killed-idle'},
           '>', 0, '... but printed, with what would have been killed');
    $r = cli(@url, qw(-k -i 1G -a 1G -t 1d));
    is($r->{code}, 0, "$name: nobody is over the limits");
    like($r->{err}, qr/^apache-manager: No Apache workers killed \(found \d+ workers within resource usage limits\)\.$/m,
         '... in the words of the original');
    is("@{[$s->children]}", "@before", "$name: everybody lives");
    return;
}

# The limits of files hold with -k, and the command line wins over them.
sub settings {
    my ($s, @url) = @_;
    my $home = $s->path('work/home');
    mkdir $home or die "$home: $!\n";
    $s->write('work/home/.apache-manager.ini',
              "[apache-manager]\nmax-memory-idle = 1K\n");
    my $run = sub { return cli({ env => { HOME => $home } }, @url, @_) };
    like($run->('-n', '-k')->{err}, qr/Would kill native worker/,
         'a limit of a file holds with -k');
    my $r = $run->();
    unlike($r->{err}, qr/kill/i, '... and not without');
    like($r->{out}, $report, '... which is a report');
    unlike($run->(qw(-n -k -i 0))->{err}, qr/Would kill native/,
           '... -i 0 switches it off');
    unlike($run->(qw(-n -k -i 1G))->{err}, qr/Would kill native/,
           '... another limit takes its place');
    unlike($run->(qw(-n -a 1G))->{err}, qr/Would kill native/,
           '... a limit on the command line alone is alone');
    return;
}

# ---- files -------------------------------------------------------------------------

sub files {
    my ($s, @url) = @_;
    my $dir = $s->path('work');
    my $r = cli({ dir => $dir }, @url, '-cf', 'relative.txt');
    is($r->{code}, 0, 'a relative path');
    is_file_ok(slurp("$dir/relative.txt"), '... in the working directory');

    $s->write('work/victim', 'mine');
    symlink "$dir/victim", "$dir/link" or die "link: $!\n";
    $r = cli(@url, '-cf', "$dir/link");
    is($r->{code}, 1, 'a symbolic link is refused');
    like($r->{err}, qr/^apache-manager: \Q$dir\E\/link is not a regular file$/,
         '... in one line');
    is(slurp("$dir/victim"), 'mine', '... and not followed');

    $r = cli(@url, '-cf', '/dev/full');
    is($r->{code}, 1, 'no device either');
    $r = cli(@url, '-cf', "$dir/none/x");
    is($r->{code}, 1, 'a directory that is not there');
    like($r->{err}, qr/No such file or directory$/, '... says so');

    # A file that may not grow is a disk that is full.
    $s->write('work/small.txt', 'old');
    my $pid = open my $pipe, '-|';
    die "fork: $!\n" unless defined $pid;
    if ($pid == 0) {
        open STDERR, '>&', \*STDOUT;
        exec 'sh', '-c', 'ulimit -f 1 && exec "$@"', 'sh',
            AMGR::Cli::cli_program(), @url, '-qcf', "$dir/small.txt";
    }
    my $said = do { local $/; <$pipe> };
    close $pipe;
    is($? >> 8, 1, 'no room for the file: exit code');
    like($said, qr{^apache-manager: \Q$dir\E/small\.txt cannot be written: },
         '... one line');
    is(slurp("$dir/small.txt"), 'old', '... the old one stays');
    is(join(' ', glob "$dir/.small*"), '', '... no part of a new one');
    return;
}

# Green on a terminal, as the original was everywhere.
sub colors {
    my (@url) = @_;
    my $green = qr/^\e\[32mServer metrics:\e\[0m\r?\n - Busy/;
    like(cli(@url, '--color=always')->{out}, $green, 'colours when asked for');
    my $plain = qr/^Server metrics:\r?\n - Busy/;
    for (['TERM=xterm', $green, 'on a terminal'],
         ['TERM=dumb', $plain, 'not where it has none'],
         ['TERM=', $plain, 'nor where its kind is not told'],
         ['-u TERM', $plain, 'nor where it is not known'],
         ['TERM=dumb', $green, 'unless they are asked for', '--color=always'],
         ['TERM=xterm', $plain, 'nor where they are not', '--color=never'],
         ['TERM=xterm NO_COLOR=1', $plain, 'nor with NO_COLOR']) {
        my ($env, $want, $name, @more) = @$_;
        like(terminal($env, @url, @more), $want, "... $name");
    }
    unlike(cli(@url)->{out}, qr/\e/, '... nowhere else');
    return;
}

sub terminal {
    my ($env, @args) = @_;
    my $command = join ' ', "env -u NO_COLOR $env HOME=/nonexistent",
        AMGR::Cli::cli_program(), @args;
    open my $pipe, '-|', 'script', '-qec', $command, '/dev/null'
        or die "script: $!\n";
    local $/;
    return scalar <$pipe>;
}

# The agent's lines of the original's client.conf.
sub agent {
    my ($s, @url) = @_;
    my $file = $s->path('work/agent.txt');
    cli(@url, '-cf', $file);
    my $awk = sub {
        open my $pipe, '-|', 'awk', $_[0], $file or die "awk: $!\n";
        chomp(my $value = <$pipe> // '');
        return $value;
    };
    is($awk->('{if ($1 == "native-worker-count") print $2}'), WORKERS,
       'awk finds a figure of the server');
    like($awk->('{if ($1 == "memory-usage" && $2 == "example" && $3 == "min")'
                . ' print $4}'), qr/^\d{7,}\z/, '... and one of a group');
    return;
}

# ---- all workers busy ---------------------------------------------------------------

sub busy {
    my ($s, @url) = @_;
    my %env = (APACHE_CONFDIR => $s->path('conf'));
    # Of the last moment at which somebody could answer.
    my @hogs = map { $s->start_request('/app/sleep?s=60') } 1 .. WORKERS;
    ok(wait_until(sub {
        $s->data->{'busy-workers'} == WORKERS;
    }, 30, 'all busy'), 'all workers are busy');

    for my $args ([], ['-cf', '-'], ['-z'], ['--json'], ['--processes']) {
        my $r = cli({ env => \%env }, @$args);
        is($r->{code}, 0, "busy: @$args: exit code") or diag($r->{err});
        cmp_ok($r->{seconds}, '<', 1, '... within a second');
    }
    like(cli({ env => \%env })->{out}, qr/^ - Busy workers: @{[WORKERS]}$/m,
         '... told so');
    like(cli(@url)->{out}, $report, '... by its URL too');
    my $r = cli(@url, '-T', '1ms');
    is($r->{code}, 3, 'a threshold of its own finds what hangs');
    like($r->{out}, qr/^Hanging \(@{[WORKERS]} workers\):\n - \d+: /m,
         '... and names it');
    is(cli(@url, '-T', '1ms', '--json')->{code}, 3, '... as JSON');
    is(cli(@url, '-T', '1ms', '-z')->{code}, 0, '... not for discovery');
    like(cli(@url, '-T', '1ms', '-cf', '-')->{out},
         qr/^workers-hanging\t@{[WORKERS]}$/m, '... and for the data file');
    is(cli(@url, '-T', '1ms', '-cf', '-')->{code}, 0, '... which is written');
    other_user($s, \%env) if $is_root;
    $_->close_now for @hogs;
    return;
}

# Who may not read the board has the data file.
sub other_user {
    my ($s, $env) = @_;
    my $r = cli({ env => $env, as_user => NOBODY });
    is($r->{code}, 0, 'an ordinary user: exit code') or diag($r->{err});
    cmp_ok($r->{seconds}, '<', 1, '... within a second');
    like($r->{out}, qr/^As of .* ago, from \Q@{[$s->data_file]}\E/m,
         '... told from when');
    $r = cli({ env => $env, as_user => NOBODY }, '-z');
    is("$r->{code} " . names_of($r->{out}), '0 native example shop', '... -z');
    return;
}

# ---- the server is down --------------------------------------------------------------

sub down {
    my ($s, @url) = @_;
    my $file = $s->write('work/kept.txt', 'old');
    my %env = (APACHE_CONFDIR => $s->path('conf'));
    for my $args ([], ['-k', '-i', '1K'], ['-c', '-f', $file], ['--json']) {
        my $r = cli(@url, @$args);
        is("$r->{code} $r->{out}", '1 ', "down: @$args: exit code");
        like($r->{err}, qr/\Aapache-manager: [^\n]+\n\z/, '... one line');
    }
    is(slurp($file), 'old', 'the old file stays');
    my $r = cli({ env => \%env }, '-z');
    is($r->{code}, 0, 'discovery answers');
    like(names_of($r->{out}), qr/^native\b/, '... with what there is');
    $r = cli(@url, '--watch');
    is("$r->{code} $r->{out}", '1 ', '--watch without a terminal');
    like($r->{err}, qr/terminal/, '... says what it lacks');
    return;
}

my $s = server(interval => '200ms', name => 'module');
my @url = ('--url', $s->url('/manager-status'));
$s->get('/') for 1 .. 20;
wait_for_groups($s, sub { $s->get('/manager-status/discovery.json')->content });
invocations($s, @url);
dry_runs($s, @url);
settings($s, @url);
files($s, @url);
agent($s, @url);
colors(@url);
busy($s, @url);
$s->expect_log(qr/\[wsgi:(?:error|warn)\]/, qr/AH00161/);
$s->stop_ok;
down($s, @url);

my $plain = server(manager => 0, location => 0, name => 'mod_status alone');
my @plain_url = ('--url', $plain->url('/server-status'));
$plain->get('/') for 1 .. 20;
wait_for_groups($plain, sub { cli(@plain_url, '-z')->{out} });
invocations($plain, @plain_url);
dry_runs($plain, @plain_url);
is(cli(@plain_url, '--processes')->{code}, 1,
   'mod_status does not tell of managed processes');
$plain->stop_ok;
done_testing();
