#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# inside.pl PACKAGES NEXT VERSION NEXT_VERSION: the life of the packages in
# PACKAGES, on a bare system with Debian's apache2, as its root: installed,
# configured, upgraded to those in NEXT under a running server, removed, installed
# again and purged.  run.sh makes that system and calls this in it; nowhere else
# does it run.
use strict;
use warnings;

use JSON::PP ();
use Test::More;
use Time::HiRes qw(sleep time);

use constant {
    MODULE      => 'libapache2-mod-apache-manager',
    TOOL        => 'apache-manager',
    CONF        => '/etc/apache2/mods-available/apache_manager.conf',
    LOG         => '/var/log/apache2/error.log',
    STATUS      => 'http://127.0.0.1/manager-status',
    HERE        => '192.0.2.1',
    ELSEWHERE   => '192.0.2.2',
    WAIT_SEC    => 120,
    BIG_BYTES   => 40_000_000,
    BYTES_A_SEC => 1_000_000,
    PAUSE_SEC   => 0.1,
};

my ($packages, $next, $version, $next_version) = @ARGV;
die "this is for the bare system of t/deb/run.sh\n"
    unless $next_version && ($ENV{AMGR_BARE_SYSTEM} // '') eq 'yes' && $$ < 20;

# ---- what is asked of the system -------------------------------------------

# Standard output and errors together, and the status.
sub run {
    my (@command) = @_;
    my $pid = open(my $out, '-|') // die "fork: $!\n";
    if ($pid == 0) {
        open STDERR, '>&', \*STDOUT;
        exec @command or die "$command[0]: $!\n";
    }
    local $/;
    my $text = <$out> // '';
    close $out;
    return ($text, $?);
}

sub runs_ok {
    my ($name, @command) = @_;
    my ($out, $status) = run(@command);
    is($status, 0, $name) or diag($out);
    return $out;
}

sub apt_ok {
    my ($name, @words) = @_;
    return runs_ok($name, qw(apt-get -y -q -o Dpkg::Options::=--force-confold),
                   '-o', 'Dpkg::Use-Pty=0', @words);
}

sub debs { return glob "$_[0]/*.deb" }

sub slurp {
    my ($file) = @_;
    open my $fh, '<:raw', $file or die "$file: $!\n";
    local $/;
    return scalar(<$fh>) // '';
}

sub spew {
    my ($file, $text) = @_;
    open my $fh, '>', $file or die "$file: $!\n";
    print {$fh} $text;
    close $fh or die "$file: $!\n";
    return;
}

sub wait_until {
    my ($what, $name) = @_;
    my $end = time + WAIT_SEC;
    while (time < $end) {
        my $is_true = eval { $what->() };
        return pass($name) if $is_true;
        sleep PAUSE_SEC;
    }
    fail($name);
    diag(scalar qx(tail -n 30 ${\ LOG }));
    return 0;
}

# The status of an answer, 000 when there is none, and its body.
sub get {
    my ($url, @options) = @_;
    my ($out) = run(qw(curl -s -m 20 -w %{http_code}), @options, $url);
    my $code = substr $out, -3, 3, '';
    return wantarray ? ($code, $out) : $code;
}

sub status_json {
    my ($code, $body) = get(STATUS . '/status.json');
    return $code eq '200' ? JSON::PP::decode_json($body) : undef;
}

sub processes {
    my ($code, $body) = get(STATUS . '/processes');
    return {} if $code ne '200';
    return { map { $_->{name} => $_ }
             @{ JSON::PP::decode_json($body)->{processes} } };
}

sub module_version {
    my ($code, $body) = get(STATUS . '/metrics');
    return $body =~ /^apache_manager_build_info\{version="([^"]*)"/m ? $1 : '';
}

sub server_pid { return slurp('/run/apache2/apache2.pid') =~ /(\d+)/ ? $1 : 0 }

# The processes whose FILE below /proc is like this.
sub pids_by {
    my ($file, $pattern) = @_;
    return grep { $_ != $$ && (eval { slurp("/proc/$_/$file") } // '') =~ $pattern }
        map { /(\d+)$/ } glob '/proc/[0-9]*';
}

sub backends { return pids_by('cmdline', qr{^/bin/sleep\x0086400\x00}) }
sub users_of_module { return pids_by('maps', qr{/mod_apache_manager\.so}) }

# Everything there is, apart from what apt and dpkg keep for themselves; of what
# is below /etc with its content.
sub files_there {
    my %found;
    my @dirs = ('');
    while (defined(my $dir = shift @dirs)) {
        opendir my $dh, $dir || '/' or next;
        for my $name (grep { !/^\.\.?$/ } readdir $dh) {
            my $path = "$dir/$name";
            next if $path =~ m{^/(?:proc|sys|dev|tmp|packages|var/cache/apt
                               |var/lib/apt|var/log/(?:apt|dpkg\.log)
                               |var/lib/dpkg/(?:[a-z]+-old|lock[a-z-]*))$}x;
            my $what = -l $path ? 'link to ' . readlink $path
                : -d _ ? 'directory' : 'file';
            $what = 'file with ' . slurp($path)
                if $what eq 'file' && $path =~ m{^/etc/};
            $found{$path} = $what;
            push @dirs, $path if $what eq 'directory';
        }
    }
    return \%found;
}

# What is other than it was.
sub differences {
    my ($before, $after) = @_;
    my %all = (%$before, %$after);
    # a2enmod makes these when it needs one, for all modules.
    delete @all{ glob '/var/lib/apache2/{conf,module}/'
                 . '{en,dis}abled_by_{admin,maint}' };
    return join "\n", map { exists $before->{$_} ? exists $after->{$_}
                            ? "changed: $_" : "missing: $_" : "left: $_" }
        grep { ($before->{$_} // '') ne ($after->{$_} // '') } sort keys %all;
}

# What the log has of warnings and errors since it was last asked; a client from
# elsewhere is refused (AH01630).
my $log_read = 0;

sub log_is_clean {
    my ($name, $expected) = @_;
    my $text = slurp(LOG);
    my @bad = grep { /:(?:emerg|alert|crit|error|warn)\]/ && !/AH01630/
                     && !($expected && /$expected/) }
        split /^/, substr $text, $log_read;
    $log_read = length $text;
    is(join('', @bad), '', "$name: nothing to complain of in the log");
    return;
}

# ---- the life of the packages ------------------------------------------------

sub prepare {
    # Without an init system services are left alone, unless a policy is there.
    spew('/usr/sbin/policy-rc.d', "#!/bin/sh\nexit 0\n");
    chmod 0755, '/usr/sbin/policy-rc.d';
    runs_ok('the loopback device', qw(ip link set lo up));
    runs_ok("$_ is this machine", qw(ip address add dev lo), "$_/32")
        for HERE, ELSEWHERE;
    spew('/etc/apache2/conf-available/name.conf', "ServerName localhost\n");
    runs_ok('a server name', qw(a2enconf -q name));
    spew('/var/www/html/big', 'x' x BIG_BYTES);
    runs_ok("Debian's server starts", qw(/etc/init.d/apache2 start));
    wait_until(sub { get('http://127.0.0.1/') eq '200' }, 'and serves');
    return;
}

sub install {
    my $pid = server_pid();
    my $out = apt_ok('both packages are installed', 'install', debs($packages));
    like($out, qr/Enable module apache_manager/, 'the module is enabled');
    like(runs_ok('a2query', qw(a2query -m apache_manager)),
         qr/enabled by maintainer script/, 'as by a maintainer script');
    runs_ok('the configuration is right', qw(apache2ctl configtest));
    wait_until(sub { status_json() }, 'the running server has loaded it');
    is(server_pid(), $pid, 'by a graceful restart');
    is(module_version(), $version, 'it is the version of the package');
    runs_ok("the packages' own test", '/packages/serves');
    return;
}

sub serves {
    is(get(STATUS), '200', 'the page, from this machine');
    is(get('http://' . HERE . '/manager-status'), '200', 'by any address of it');
    is(get('http://' . HERE . '/manager-status' . $_, '--interface', ELSEWHERE),
       '403', "not from elsewhere: /manager-status$_")
        for '', '/status.json', '/metrics', '/processes';
    my ($code, $theirs) = get('http://127.0.0.1/server-status?auto');
    is($code, '200', 'mod_status serves beside it');
    my ($ours_code, $ours) = get(STATUS . '?auto');
    my @keys = $theirs =~ /^([A-Za-z ]+):/mg;
    cmp_ok(scalar @keys, '>', 20, 'it has figures');
    is(join("\n", grep { $ours !~ /^\Q$_\E:/m } @keys), '',
       'what it tells is told by the module');
    is(get('http://127.0.0.1/server-status'), '200', 'and its page');
    return;
}

sub tool {
    is(runs_ok('the tool runs', qw(apache-manager --version)),
       "apache-manager $version\n", 'it tells the version of the package');
    for (['root', qr{read from \S+/apache-manager\.board}],
         ['nobody', qr{read from http://127\.0\.0\.1:80/\S*/status\.json}]) {
        my ($user, $source) = @$_;
        my ($out, $status);
        # There is no board before the first tick.
        wait_until(sub {
            ($out, $status) = run(qw(setpriv --reuid), $user,
                                  qw(--clear-groups apache-manager -v));
            return $out =~ $source;
        }, "the tool reads what $user may read") or diag($out);
        is($status, 0, "$user: its status");
        like($out, qr/^ - Total accesses: \d+/m, "$user: it has figures");
    }
    return;
}

# A process that is ready when the module's helper has got an answer.
sub backend {
    spew('/etc/apache2/conf-available/backend.conf', <<'END');
<IfModule apache_manager_module>
    <ManagedProcess backend>
        Command /bin/sleep 86400
        Verify  http http://127.0.0.1/
    </ManagedProcess>
</IfModule>
END
    runs_ok('a section in conf-available', qw(a2enconf -q backend));
    runs_ok('a graceful restart', qw(/etc/init.d/apache2 reload));
    wait_until(sub { (processes()->{backend}{state} // '') eq 'READY' },
               'a managed process is ready');
    my $pid = processes()->{backend}{pid};
    is(join(' ', backends()), $pid, 'and there is one');
    cmp_ok(scalar(users_of_module()), '>', 1, 'the module is seen at work');
    return $pid;
}

# A download that takes longer than an upgrade does, and its end.
sub start_download {
    my $pid = fork // die "fork: $!\n";
    if ($pid == 0) {
        exec qw(curl -s -f -o /tmp/big --limit-rate), BYTES_A_SEC,
            'http://127.0.0.1/big' or die "curl: $!\n";
    }
    wait_until(sub { -s '/tmp/big' }, 'a download has begun');
    return $pid;
}

sub upgrade {
    my ($backend) = @_;
    my $pid = server_pid();
    my $conf = slurp(CONF) . "ManagerMaxMemoryIdle 900M\n";
    spew(CONF, $conf);
    my $download = start_download();
    apt_ok('an upgrade while the server runs', 'install', debs($next));
    is(kill(0, $download), 1, 'the download is not finished by then');
    wait_until(sub { module_version() eq $next_version },
               'the server has loaded the next version');
    is(server_pid(), $pid, 'by a graceful restart');
    like(slurp('/etc/apache2/mods-available/apache_manager.load'),
         qr/^# next$/m, 'what was not changed is replaced');
    is(slurp(CONF), $conf, 'what the administrator changed stays');
    ok(-e CONF . '.dpkg-dist', 'the new one lies beside it');
    is(status_json()->{limits}{max_memory_idle_bytes}, 900 << 20,
       'the change is obeyed');
    is(processes()->{backend}{pid}, $backend, 'the managed process lives on');
    is(processes()->{backend}{state}, 'READY', 'and is ready');
    is(runs_ok('the tool is the next one', qw(apache-manager --version)),
       "apache-manager $next_version\n", 'as it says');
    like(runs_ok('it asks for the process', qw(apache-manager status)),
         qr/backend.*$backend|$backend.*backend/, 'and knows it');
    waitpid $download, 0;
    is($?, 0, 'the download was finished');
    is(-s '/tmp/big', BIG_BYTES, 'and is whole');
    unlink '/tmp/big';
    return;
}

# What the administrator has disabled stays disabled.
sub disabled {
    runs_ok('a2dismod', qw(a2dismod -q apache_manager));
    runs_ok('a graceful restart', qw(/etc/init.d/apache2 reload));
    wait_until(sub { get(STATUS) eq '404' }, 'the module is not there');
    my $out = runs_ok('the tool without the module', qw(apache-manager -v));
    like($out, qr{^ - Total accesses: \d+}m, 'it has figures');
    like($out, qr{read from http://127\.0\.0\.1:80/server-status \(mod_status\)},
         'of mod_status, by its helper');
    runs_ok('the same package again', qw(dpkg -i), debs($next));
    isnt((run(qw(a2query -m apache_manager)))[1], 0, 'which does not enable it');
    runs_ok('a2enmod', qw(a2enmod -q apache_manager));
    runs_ok('a graceful restart', qw(/etc/init.d/apache2 reload));
    wait_until(sub { (processes()->{backend}{state} // '') eq 'READY' },
               'the module is there, and so is what it runs');
    return;
}

sub remove {
    my ($way) = @_;
    my $pid = server_pid();
    apt_ok("both packages: $way", $way, MODULE, TOOL);
    wait_until(sub { get(STATUS) eq '404' }, "$way: nothing of it is served");
    is(get('http://127.0.0.1/'), '200', "$way: the server goes on");
    is(server_pid(), $pid, "$way: it is the same");
    isnt((run(qw(a2query -m apache_manager)))[1], 0, "$way: it is disabled");
    runs_ok("$way: the configuration is right", qw(apache2ctl configtest));
    # A supervisor to whom no configuration comes waits a minute for it.
    wait_until(sub { !backends() && !users_of_module() },
               "$way: no process of it is left");
    my @files = glob '/run/apache2/apache-manage*';
    is("@files", '', "$way: nor a file in /run");
    return;
}

sub install_again {
    apt_ok('after that it is installed again', 'install', debs($next));
    wait_until(sub { (processes()->{backend}{state} // '') eq 'READY' },
               'and is at work as before');
    ok(slurp(CONF) =~ /^ManagerMaxMemoryIdle 900M$/m,
       'with the configuration that was changed');
    return;
}

# What is said of a supervisor that was left without the module, and that httpd
# does not know it.
my $without = qr/AMGR0040:\ (?:no\ configuration\ has\ come\ since
                  |supervisor\ \d+\ ended\ by\ itself)|AH00488:\ long\ lost\ child/x;

prepare();
my $before = files_there();
install();
serves();
tool();
my $backend = backend();
log_is_clean('installed');
upgrade($backend);
serves();
log_is_clean('upgraded');
disabled();
remove('remove');
ok(-e CONF, 'the configuration is still there');
log_is_clean('removed', $without);
install_again();
remove('purge');
log_is_clean('purged', $without);
runs_ok('the section of the test', qw(a2disconf -q -p backend));
unlink '/etc/apache2/conf-available/backend.conf';
is(differences($before, files_there()), '', 'no file is left, none is another');
runs_ok('the server stops', qw(/etc/init.d/apache2 stop));
done_testing();
