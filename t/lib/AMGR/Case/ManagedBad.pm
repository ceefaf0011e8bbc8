# SPDX-License-Identifier: Apache-2.0
#
# Managed processes that do what they should not, all in one server: which way
# each of them goes, what is told of it, what is left of it, and what it costs.
package AMGR::Case::ManagedBad;

use strict;
use warnings;

use AMGR::Cli qw(cli);
use AMGR::Httpd qw(wait_until);
use AMGR::Managed;
use AMGR::ManagedRogue qw(of_program of_shell section touch);
use AMGR::ManagedSeen qw(changes path reasons is_seen is_told order
                         cpu_seconds guard_of process_lines);
use Apache::Test qw(-withtestmore);
use IO::Socket::INET;
use IO::Socket::UNIX;
use JSON::PP ();
use Socket qw(SOCK_DGRAM);

use constant {
    SOON  => 30,
    QUICK => "RestartDelay 100ms factor=1 jitter=0%\n",
    UP    => 'STOPPED STARTING RUNNING READY',
};

# ---- the server -----------------------------------------------------------

# What cannot be started, by name: its section, and the reason for people.
sub faults {
    my ($s) = @_;
    my $dir = $s->path('work');
    my $no_file = 'No such file or directory';
    my $true = '/bin/true';
    return (
        'no-file' => ['/nonexistent/program',
            "it cannot be executed: /nonexistent/program: $no_file"],
        'no-x' => ["$dir/text",
            "it cannot be executed: $dir/text: Permission denied"],
        'no-interpreter' => ["$dir/no-interpreter",
            "it cannot be executed: $dir/no-interpreter, whose interpreter is "
            . "missing: $no_file"],
        'no-program' => ["$dir/no-program",
            "it cannot be executed: $dir/no-program, which does not begin as "
            . 'a program or with #!: Exec format error'],
        'directory' => ["$dir",
            "it cannot be executed: $dir: Permission denied"],
        'no-user' => ["$true\nUser nobody-here",
            'its user is not known: nobody-here'],
        'no-group' => ["$true\nGroup nobody-here",
            'its group is not known: nobody-here'],
        'no-directory' => ["$true\nWorkingDirectory $dir/none",
            "its directory cannot be entered: $dir/none: $no_file"],
        'no-environment' => ["$true\nEnvironmentFile $dir/none",
            "its environment cannot be made: $dir/none: $no_file"],
        'environment' => ["$true\nEnvironmentFile $dir",
            "its environment cannot be made: $dir: Is a directory"],
        # Root may read what it likes.
        AMGR::Httpd::is_root() ? () : (
            'closed' => ["$true\nEnvironmentFile $dir/closed",
                "its environment cannot be made: $dir/closed: "
                . 'Permission denied']),
        'limit' => ["$true\nLimit nofile 2000000000",
            'a limit cannot be set: Limit nofile: Operation not permitted'],
        'output' => ["$true\nOutput $dir/none/log",
            "its output has no place to go: $dir/none/log: $no_file"],
        'output-link' => ["$true\nOutput $dir/link",
            "its output has no place to go: $dir/link, which is a symbolic "
            . 'link: Too many levels of symbolic links'],
        'no-logger' => ["$true\nOutput \"|/nonexistent/logger -n 5\"",
            "its output has no place to go: /nonexistent/logger: $no_file"],
    );
}

sub write_files {
    my ($s) = @_;
    $s->write('work/text', "text\n");
    $s->write('work/no-interpreter', "#!/nonexistent/interpreter\n", 0755);
    $s->write('work/no-program', "text\n", 0755);
    symlink $s->path('work/text'), $s->path('work/link') or die "link: $!\n";
    $s->write('work/closed', '', 0200);
    $s->write('state/alive', '');
    $s->write('state/twenty.runs', '', 0666);
    return;
}

sub config {
    my ($s) = @_;
    my $state = AMGR::Managed::state_dir($s);
    my $port = $s->{busy}{port};
    my %fault = faults($s);
    return join '',
        # Twenty times it fails, then it is content.
        of_shell($s, 'twenty', 'n=0; while read -r x; do n=$((n+1)); done '
              . '<STATE/twenty.runs; echo run $n | tee -a STATE/twenty.runs; '
              . '[ $n -lt 20 ] && exit 3; exit 0', QUICK . 'RestartLimit Off'),
        of_shell($s, 'five', '[ -e STATE/five.go ] || exit 1; exec sleep 1000',
              'RestartDelay 200ms factor=2 max=1s jitter=0%'),
        of_program('waits', '/bin/sleep 1000', 'After five'),
        (map { of_program($_, $fault{$_}[0], QUICK . 'RestartLimit 2 in 1m') }
             sort keys %fault),
        of_program('busy', '/bin/sleep 1000',
              QUICK . "RestartLimit Off\n"
              . "RequireFree tcp://127.0.0.1:$port unix:$state/busy.sock"),
        of_program('never', '/bin/sleep 1000', QUICK . "StartTimeout 400ms\n"
              . "RestartLimit 2 in 1m\nVerify file $state/never "
              . 'interval=100ms timeout=20s'),
        of_program('tries', '/bin/sleep 1000', QUICK . "StartTimeout Off\n"
              . "RestartLimit 2 in 1m\nVerify file $state/never "
              . 'interval=100ms timeout=20s retries=2'),
        of_program('sick', '/bin/sleep 1000', QUICK . "RestartLimit 2 in 1m\n"
              . "Liveness file $state/alive "
              . 'interval=100ms timeout=20s retries=2'),
        section($s, 'deaf', 'StopTimeout 300ms', 'deaf'),
        section($s, 'family', 'Restart never', 'family'),
        section($s, 'daemon', '', 'daemon'),
        section($s, 'eater', QUICK . 'MaxMemory 80M', 'eater', 100),
        section($s, 'frozen', '', 'rest'),
        section($s, 'mute', '', 'mute'),
        section($s, 'talker', '', 'talker'),
        section($s, 'notifier', "Verify notify\nStartTimeout Off", 'notifier'),
        section($s, 'pairs', 'StopTimeout 300ms', 'pairs', 100);
}

sub server {
    my ($mpm) = @_;
    my $s = AMGR::Httpd->new(mpm => $mpm, name => "$mpm-bad");
    AMGR::ManagedRogue::prepare($s);
    write_files($s);
    my $port = AMGR::Httpd::free_port();
    $s->{busy} = {
        port => $port,
        tcp  => IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1,
                                      LocalPort => $port, ReuseAddr => 1),
        unix => IO::Socket::UNIX->new(Listen => 1, Local =>
                    AMGR::Managed::state_dir($s) . '/busy.sock'),
    };
    # Who is refused by the rights of a socket's file is told that instead.
    chmod 0777, AMGR::Managed::state_dir($s) . '/busy.sock';
    $s->set_config(config($s));
    $s->expect_log(qr/AMGR0034: process \S+: \w+ -> (?:FATAL|EXITED) /,
                   qr/AMGR0035: process \S+: /,
                   qr/AMGR0036: process notifier: a notification of process/);
    return $s->start;
}

sub row { return AMGR::Managed::one(@_) }

sub until_row {
    my ($s, $name, $what, $is) = @_;
    return wait_until(sub { my $row = row($s, $name); $row && $is->($row) },
                      SOON, "$name: $what");
}

sub none_left {
    my ($s, $name) = @_;
    my @pids = AMGR::Managed::noted($s, "$name.pids");
    cmp_ok(scalar @pids, '>', 0, "$name: it has run");
    return ok(AMGR::Managed::are_gone(0, @pids), "$name: none of it is left");
}

# ---- what fails -----------------------------------------------------------

sub twenty {
    my ($s) = @_;
    AMGR::Managed::wait_for($s, 'twenty', 'EXITED');
    is_seen($s, 'twenty', {
        path => 'STOPPED' . ' STARTING RUNNING BACKOFF' x 20
            . ' STARTING RUNNING EXITED',
        starts => 21, exits => { code => 20, clean => 1 } });
    is_told($s, 'twenty', qr/-> BACKOFF \(exited with code 3, its last line: /,
            20, 'each end is told with its cause and its last line');
    is_told($s, 'twenty', qr/; started again in 0\.1 s\)$/, 20,
            'and when it is started again');
    is_told($s, 'twenty', qr/AMGR0037: process twenty: run \d+$/, 21,
            'what it wrote is there');
    is_told($s, 'twenty', qr/./, 21 * 3 + 21, 'and nothing more');
    # Of its guards, of all that they have reaped, and of itself.
    cmp_ok(row($s, 'twenty')->{cpu_seconds}, '<', 1, 'twenty: and cost little');
    return;
}

sub five {
    my ($s) = @_;
    AMGR::Managed::wait_for($s, 'five', 'FATAL');
    my $way = 'STOPPED' . ' STARTING RUNNING BACKOFF' x 4
        . ' STARTING RUNNING FATAL';
    is_seen($s, 'five', { path => $way, starts => 5, exits => { code => 5 } });
    is_deeply([map { /in ([\d.]+) s$/ ? $1 : $_ } reasons($s, 'five', 'BACKOFF')],
              ['0.2', '0.4', '0.8', '1.0'], 'five: the pauses grow up to max');
    my @changes = grep { $_->{to} eq 'BACKOFF' || $_->{from} eq 'BACKOFF' }
        changes($s, 'five');
    # As the log has them, from midnight on again.
    my @pauses = map { my $span = $changes[2 * $_ + 1]{time}
                           - $changes[2 * $_]{time};
                       $span < 0 ? $span + 86400 : $span } 0 .. 3;
    cmp_ok($pauses[0], '>', 0.1, 'five: a pause it is');
    cmp_ok($pauses[3], '>', 0.5, 'five: and a longer one later');
    is((reasons($s, 'five', 'FATAL'))[0],
       '5 failures within 1m, the last: exited with code 1',
       'five: RestartLimit as it is by default');
    my $waits = row($s, 'waits');
    is_deeply([@$waits{qw(state want reason starts)}],
              ['STOPPED', 'up', 'waits for five, which is FATAL', 0],
              'waits: is held, and says for whom');
    is($s->json->{supervision}{application}, 'degraded',
       'the application is degraded');
    touch($s, 'five.go');
    my $r = order($s, 'start', 'five');
    is("$r->{code} $r->{out}", "0 five: started\n", 'five: started by order');
    is_seen($s, 'five', { path => "$way STARTING RUNNING READY", ready => 1,
                          starts => 6, exits => { code => 5 } });
    ok(AMGR::Managed::wait_for($s, 'waits', 'READY'),
       'waits: what it waited for is there');
    # Failures are forgotten with the order: one more is the first.
    unlink AMGR::Managed::state_dir($s) . '/five.go';
    kill 'KILL', row($s, 'five')->{pid};
    until_row($s, 'five', 'the next failure',
              sub { $_[0]{exits}{signal} == 1 });
    like((reasons($s, 'five', 'BACKOFF'))[4],
         qr/^killed by SIGKILL; started again in 0\.2 s$/,
         'five: and an order begins anew');
    my $row = until_row($s, 'five', 'the longest pause', sub {
        $_[0]{state} eq 'BACKOFF' && $_[0]{backoff_seconds} == 1 && $_[0] });
    is(sprintf('%.3f', $row->{next_start} - $row->{since}), '1.000',
       'five: when it is started again is shown');
    is(row($s, 'waits')->{state}, 'READY',
       'waits: is not stopped for the failure of another');
    return;
}

sub unstartable {
    my ($s) = @_;
    my %fault = faults($s);
    for my $name (sort keys %fault) {
        my $reason = $fault{$name}[1];
        AMGR::Managed::wait_for($s, $name, 'FATAL');
        is_seen($s, $name, { path => 'STOPPED STARTING BACKOFF STARTING FATAL',
                             starts => 2, exits => { exec => 2 } });
        is((reasons($s, $name, 'BACKOFF'))[0],
           "$reason; started again in 0.1 s", "$name: for this reason");
        my $last = "2 failures within 1m, the last: $reason";
        is(row($s, $name)->{reason}, substr($last, 0, 159), "$name: as shown");
        # Of its two changes to STARTING, one more to BACKOFF and FATAL each.
        is_told($s, $name, qr/AMGR0035/, 1, 'the warning comes once');
        is_told($s, $name, qr/./, 5, 'and nothing more');
    }
    return;
}

sub busy {
    my ($s) = @_;
    my $address = "tcp://127.0.0.1:$s->{busy}{port}";
    until_row($s, 'busy', 'two attempts', sub { $_[0]{exits}{exec} >= 2 });
    like((reasons($s, 'busy', 'BACKOFF'))[0],
         qr/^\Q$address\E is not free: Address already in use; started again/,
         'busy: an address is taken');
    close delete $s->{busy}{tcp};
    until_row($s, 'busy', 'the other address',
              sub { ($_[0]{reason} // '') =~ /^unix:/ });
    like((reasons($s, 'busy', 'BACKOFF'))[-1],
         qr/^unix:\S+busy\.sock is not free: Address already in use; started/,
         'busy: the next one is');
    is_told($s, 'busy', qr/AMGR0035/, 2, 'a warning for each');
    close delete $s->{busy}{unix};
    ok(AMGR::Managed::wait_for($s, 'busy', 'READY'), 'busy: none is any more');
    like(path($s, 'busy'),
         qr/^STOPPED(?: STARTING BACKOFF){2,} STARTING RUNNING READY$/,
         'busy: its way');
    return;
}

sub unready {
    my ($s) = @_;
    my $way = 'STOPPED STARTING RUNNING STOPPING BACKOFF'
        . ' STARTING RUNNING STOPPING FATAL';
    my $file = AMGR::Managed::state_dir($s) . '/never';
    for my $name (qw(never tries)) {
        AMGR::Managed::wait_for($s, $name, 'FATAL');
        is_seen($s, $name, { path => $way, starts => 2,
                             exits => { start_timeout => 2 } });
        is(row($s, $name)->{checks}{passed}, 0, "$name: no attempt passed");
    }
    # Where the machine was quick enough for one.
    my $attempt = qr/, the last attempt: no such file or directory/;
    like((reasons($s, 'never', 'STOPPING'))[0],
         qr/^not ready after 400ms(?:$attempt)?$/,
         'never: the time was over');
    is((reasons($s, 'tries', 'STOPPING'))[0], 'not ready after all retries: '
       . 'no such file or directory', 'tries: its tries were used up');
    is(row($s, 'tries')->{checks}{failed}, 6, 'tries: so many');
    return;
}

sub sick {
    my ($s) = @_;
    AMGR::Managed::wait_for($s, 'sick', 'READY');
    unlink AMGR::Managed::state_dir($s) . '/alive';
    AMGR::Managed::wait_for($s, 'sick', 'FATAL');
    is_seen($s, 'sick', {
        path => UP . ' STOPPING BACKOFF STARTING RUNNING READY STOPPING FATAL',
        starts => 2, exits => { unhealthy => 2 } });
    is((reasons($s, 'sick', 'STOPPING'))[0],
       'unhealthy: no such file or directory', 'sick: for this reason');
    is_told($s, 'sick', qr/AMGR0036: .*: failed attempt [12] in a row: /, 4,
            'so many attempts were let fail');
    return;
}

# ---- what does not end ----------------------------------------------------

sub deaf {
    my ($s) = @_;
    AMGR::Managed::wait_for($s, 'deaf', 'READY');
    wait_until(sub { 2 == AMGR::Managed::noted($s, 'deaf.pids') }, SOON,
               'both of them');
    my $r = order($s, 'stop', 'deaf');
    is("$r->{code} $r->{out}", "0 deaf: stopped\n", 'deaf: stopped by order');
    is_seen($s, 'deaf', { path => UP . ' STOPPING STOPPED', starts => 1,
                          exits => { ordered => 1 } });
    is(row($s, 'deaf')->{signal}, 9, 'deaf: by SIGKILL');
    is_told($s, 'deaf', qr/not gone in time: killed with its tree$/, 1,
            'once it was out of time');
    none_left($s, 'deaf');
    return;
}

sub family {
    my ($s) = @_;
    wait_until(sub { AMGR::Managed::noted($s, 'family.deaf')
                     && 6 == AMGR::Managed::noted($s, 'family.pids') },
               SOON, 'the whole family');
    touch($s, 'family.go');
    AMGR::Managed::wait_for($s, 'family', 'EXITED');
    like(path($s, 'family'),
         qr/^STOPPED STARTING RUNNING(?: READY)? STOPPING EXITED$/,
         'family: is stopping until all of it are gone');
    is_deeply([@{ row($s, 'family') }{qw(code cause tree)}], [5, 'code', 0],
              'family: for the first who ended');
    none_left($s, 'family');
    return;
}

sub daemon {
    my ($s) = @_;
    AMGR::Managed::wait_for($s, 'daemon', 'EXITED');
    is_seen($s, 'daemon', {
        path => 'STOPPED STARTING RUNNING STOPPING EXITED', starts => 1,
        exits => { clean => 1 } });
    is(row($s, 'daemon')->{code}, 0, 'daemon: whoever goes away has ended');
    is_told($s, 'daemon', qr/AMGR0035: .* left 1 process behind, which is ended/,
            1, 'and that it may not is told');
    none_left($s, 'daemon');
    return;
}

sub frozen {
    my ($s) = @_;
    my $pid = AMGR::Managed::wait_for($s, 'frozen', 'READY')->{pid};
    kill 'STOP', $pid;
    wait_until(sub { (AMGR::Httpd::stat_fields($pid))[0] eq 'T' }, SOON,
               'it is stopped');
    my $r = order($s, 'stop', 'frozen');
    is("$r->{code} $r->{out}", "0 frozen: stopped\n", 'frozen: ends by order');
    is_seen($s, 'frozen', { path => UP . ' STOPPING STOPPED', starts => 1,
                            exits => { ordered => 1 } });
    is_told($s, 'frozen', qr/not gone in time/, 0, 'and is not killed');
    none_left($s, 'frozen');
    return;
}

# Those of a pair start each other anew.
sub pairs {
    my ($s) = @_;
    AMGR::Managed::wait_for($s, 'pairs', 'READY');
    my $guard = guard_of(row($s, 'pairs')->{pid});
    until_row($s, 'pairs', 'so many processes', sub { $_[0]{tree} >= 201 });
    my @tree = AMGR::Managed::tree($s, $guard);
    cmp_ok(scalar @tree, '>=', 202, 'pairs: there they are');
    kill 'KILL', @tree[-20 .. -1]; # they know how to come again
    my $r = order($s, 'stop', 'pairs');
    is("$r->{code} $r->{out}", "0 pairs: stopped\n", 'pairs: stopped by order');
    is_seen($s, 'pairs', { path => UP . ' STOPPING STOPPED', starts => 1,
                           exits => { ordered => 1 } });
    is("@{[grep { cmdline($_) =~ / pairs / } $s->all_pids]}", '',
       'pairs: none of them is left');
    return;
}

sub cmdline {
    my ($pid) = @_;
    return AMGR::Httpd::slurp("/proc/$pid/cmdline") =~ tr/\0/ /r;
}

sub eater {
    my ($s) = @_;
    until_row($s, 'eater', 'its second run',
              sub { $_[0]{starts} == 2 && $_[0]{state} eq 'READY' });
    my $way = 'STOPPING BACKOFF STARTING RUNNING READY';
    like(path($s, 'eater'), qr/^STOPPED STARTING RUNNING(?: READY)? $way$/,
         'eater: its way');
    my $row = row($s, 'eater');
    is_deeply([@{ $row->{exits} }{qw(memory signal)}], [1, 0],
              'eater: its memory is the cause');
    my ($used) = (reasons($s, 'eater', 'STOPPING'))[0]
        =~ /^uses ([\d.]+) MB of memory, MaxMemory is 80M \(83\.89 MB\)$/;
    cmp_ok($used // 0, '>', 83.88, 'eater: so much was too much');
    is($row->{max_memory_bytes}, 80 << 20, 'eater: its limit is shown');
    my @first = (AMGR::Managed::noted($s, 'eater.pids'))[0, 1];
    ok(AMGR::Managed::are_gone(0, @first), 'eater: who ate it is gone, too');
    return;
}

# ---- what it says ---------------------------------------------------------

sub mute {
    my ($s) = @_;
    my $row = AMGR::Managed::wait_for($s, 'mute', 'READY');
    is($row->{output_bytes}, 0, 'mute: says nothing');
    is_seen($s, 'mute', { path => UP, ready => 1, starts => 1 });
    # Since the server began some seconds went by.
    cmp_ok(cpu_seconds(guard_of($row->{pid})), '<', 0.5,
           'mute: and its guard waits without asking');
    return;
}

sub talker {
    my ($s) = @_;
    AMGR::Managed::wait_for($s, 'talker', 'READY');
    # As httpd escapes what it logs.
    my $said = '<b>bold</b> & \x1b[31mred\x1b[0m \x07\x9b2J\r\xff\xc3';
    is_told($s, 'talker', qr/AMGR0037: process talker: \Q$said\E$/, 1,
            'what could command a terminal is escaped');
    return;
}

sub say_ready {
    my ($pid) = @_;
    my ($name) = AMGR::Httpd::slurp("/proc/$pid/environ")
        =~ /(?:^|\0)NOTIFY_SOCKET=@([^\0]+)/ or die "no NOTIFY_SOCKET\n";
    my $socket = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Peer => "\0$name")
        or die "NOTIFY_SOCKET: $!\n";
    return $socket->send('READY=1') == 7;
}

sub notifier {
    my ($s) = @_;
    my $row = until_row($s, 'notifier', 'its words', sub {
        $_[0]{status} && $_[0]{state} eq 'RUNNING' && $_[0] });
    is(length $row->{status}, 159, 'notifier: its words are cut');
    like($row->{status}, qr/^<b>"it's" & \x1b\[31mred\a/,
         'notifier: and what is too long a message is not heard');
    my $json = $s->get('/manager-status/processes')->content;
    unlike($json, qr/[\x00-\x09\x0b-\x1f\x7f]/, 'notifier: JSON escapes them');
    ok(utf8::decode($json), 'notifier: and repairs them');
    my $page = $s->get('/manager-status')->content;
    like($page, qr/&lt;b&gt;(?:&quot;|")it(?:&#39;|')s(?:&quot;|") &amp; /,
         'notifier: so does the page');
    unlike($page, qr/<b>"it|[\x00-\x08\x0b-\x1f\x7f]/, 'notifier: with all of it');
    for my $how (['status', 'notifier'], ['--processes']) {
        my $r = cli('--url', $s->url('/manager-status'), @$how);
        like($r->{out}, qr/<b>"it's" & \\x1b\[31mred\\x07/,
             "notifier: @$how escapes them");
        unlike($r->{out}, qr/[\x00-\x09\x0b-\x1f\x7f]/,
               "notifier: @$how, all of them");
    }
    ok(say_ready($row->{pid}), 'notifier: a stranger says that it is ready');
    ok(wait_until(sub { process_lines($s, 'notifier', qr/AMGR0036/) }, SOON,
                  'a line'), 'notifier: which is told');
    is_told($s, 'notifier', qr/a notification of process $$ is not heard, /, 1,
            'and by whom');
    is(row($s, 'notifier')->{state}, 'RUNNING', 'notifier: and not believed');
    touch($s, 'notifier.go');
    ok(AMGR::Managed::wait_for($s, 'notifier', 'READY'),
       'notifier: but the process is');
    is_seen($s, 'notifier', { path => UP, ready => 1, starts => 1 });
    is((reasons($s, 'notifier', 'READY'))[0], 'it says so',
       'notifier: for its word');
    return;
}

my @parts = (\&unstartable, \&busy, \&frozen, \&deaf, \&daemon, \&family,
             \&talker, \&notifier, \&pairs, \&unready, \&eater, \&sick,
             \&twenty, \&five, \&mute);

sub run {
    my ($mpm) = @_;
    my $s = server($mpm);
    my $supervisor = AMGR::Managed::supervisor($s);
    $_->($s) for @parts;
    is(AMGR::Managed::supervisor($s), $supervisor, 'the same supervisor');
    is($s->get('/')->code, 200, 'the server serves');
    my @double = glob AMGR::Managed::state_dir($s) . '/*.double';
    is("@double", '', 'nothing ran twice at a time');
    # Of all that was, and of looking at all that is every two seconds.
    cmp_ok(cpu_seconds($supervisor), '<', 2, 'which costs little');
    my $log = $s->log_text(0);
    unlike($log, qr/[\x00-\x08\x0b-\x1f\x7f-\xff]/, 'the log is plain text');
    $s->stop_ok;
    done_testing();
    return;
}

1;
