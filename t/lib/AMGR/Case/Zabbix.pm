# SPDX-License-Identifier: Apache-2.0
#
# Zabbix's real agents read a real server, idle and under load, with the Python
# tool's agent file (its keys and what it does with them, said again) and with
# ours; and the template without an agent finds all its parts in status.json.
package AMGR::Case::Zabbix;

use strict;
use warnings;

use AMGR::Httpd qw(wait_until repo_dir);
use AMGR::Zabbix qw(load_template all_items prototypes json_path preprocessing
                    ask_agent);
use AMGR::ZabbixAgent qw(write_config test_keys start_agent);
use Apache::Test qw(-withtestmore);
use JSON::PP ();

use constant GROUPS => qw(native shop);

my $INT = qr/^\d+$/;
my $FLOAT = qr/^\d+(?:\.\d+)?$/;

# The items of the Python tool's template, with the type that each has there.
my %original = (
    (map { $_ => $INT } qw(busy-workers idle-workers foreign-worker-count
                           native-worker-count status-response total-accesses
                           total-traffic uptime workers-hanging)),
    (map { $_ => $FLOAT } qw(bytes-per-request bytes-per-second cpu-load
                             requests-per-second)),
);
my %original_memory = ((map { $_ => $INT } qw(min max count)),
                       (map { $_ => $FLOAT } qw(average median)));

sub run {
    my ($mpm) = @_;
    my $data = shared_tmp() . "/amgr-zabbix-$$.txt";
    my $s = AMGR::Httpd->new(mpm => $mpm, interval => '200ms',
                             modules => ['wsgi'],
                             config => "ManagerDataFile $data\n");
    my $script = $s->wsgi_script;
    $s->{config} .= <<"END";
WSGIDaemonProcess shop display-name=%{GROUP} processes=2 threads=4 home=/
WSGIScriptAlias /shop $script process-group=shop application-group=%{GLOBAL}
ManagerMaxMemoryActive 100G
ManagerMaxMemoryTotal 900G
END
    # A graceful restart ends the daemons with what they do.
    $s->expect_log(qr/Truncated or oversized response headers/);
    my $umask = umask 0077; # the file is for everybody all the same
    $s->start;
    umask $umask;
    ok(wait_until(sub { ($s->data(AMGR::Httpd::slurp($data))
                         ->{'memory-usage shop count'} // 0) == 2 },
                  30, 'both daemons in the data file'),
       'the data file has the WSGI group');
    is((stat $data)[2] & 07777, 0644, 'it may be read by everybody');
    # What README says for a server whose /tmp is not the agent's.
    symlink $data, "$data.link" or die "$data.link: $!\n";
    my $agents = start_agents($s, $data);
    for my $load (0, 1) {
        my @requests = $load ? begin_load($s) : ();
        my $what = $load ? 'under load' : 'idle';
        original($data, "$what: the Python tool's agent file");
        agent_template($s, $agents, "$what: by agent");
        http_template($s, "$what: by HTTP");
        busy($s, $agents) if $load;
        $_->close_now for @requests;
    }
    unlink "$data.link";
    missing($s, $agents, $data);
    $s->stop_ok;
    done_testing();
    return;
}

END { unlink map { "/tmp/amgr-zabbix-$$.txt$_" } '', '.link' }

# Where everybody may write, and each file is its owner's.
sub shared_tmp {
    is((stat '/tmp')[2] & 01002, 01002, '/tmp is shared and sticky');
    return '/tmp';
}

# Requests of which some are still running whenever somebody looks.
sub begin_load {
    my ($s) = @_;
    $s->get('/') for 1 .. 20;
    my @requests = map { $s->start_request('/shop/sleep?s=300') } 1, 2;
    ok(wait_until(sub { $s->json->{server}{busy_workers} >= 2 }, 30,
                  'busy workers'), 'it is busy');
    my $data = ($s->{config} =~ m{^ManagerDataFile (\S+)}m)[0];
    ok(wait_until(sub { $s->data(AMGR::Httpd::slurp($data))
                        ->{"busy-workers"} >= 2 }, 30, "the data file"),
       "the data file tells so");
    return @requests;
}

sub start_agents {
    my ($s, $data) = @_;
    my $config = write_config($s, $data);
    return { config => $config, port => start_agent($s, $config),
             data => $data, link => "$data.link" };
}

# ---- the Python tool's agent file -----------------------------------------

# Its awk programs: by white space, whatever the separator is.
sub original {
    my ($data, $what) = @_;
    for my $key (sort keys %original) {
        my $value = awk(qq({if (\$1 == "$key") print \$2}), $data);
        like($value, $original{$key}, "$what: $key");
    }
    cmp_ok(awk('{if ($1 == "native-worker-count") print $2}', $data), '>', 0,
           "$what: a calculated item may divide by it");
    is(awk('{if ($1 == "status-response") print $2}', $data), 0,
       "$what: all was collected");
    for my $group (GROUPS) {
        for my $key (sort keys %original_memory) {
            my $value = awk(qq({if (\$1 == "memory-usage" && \$2 == "$group"
                               && \$3 == "$key") print \$4}), $data);
            like($value, $original_memory{$key}, "$what: $group $key");
            cmp_ok($value, '>', 0, "$what: $group $key is something");
        }
    }
    return;
}

sub awk {
    my ($program, $file) = @_;
    $program =~ s/\s+/ /g;
    open my $pipe, '-|', 'awk', $program, $file or die "awk: $!\n";
    my $text = do { local $/; <$pipe> } // '';
    close $pipe or die "awk failed\n";
    chomp $text;
    return $text;
}

# ---- our template, by agent -----------------------------------------------

# Every key that Zabbix would ask for, by its kind of value.
sub agent_keys {
    my ($template) = @_;
    my %keys = map { $_->{key} => $_->{value_type} // 'UNSIGNED' }
        grep { !$_->{type} } all_items($template);
    for my $item (prototypes($template)) {
        for my $group (GROUPS) {
            (my $key = $item->{key}) =~ s/\{#NAME\}/$group/;
            $keys{$key} = $item->{value_type} // 'UNSIGNED';
        }
    }
    return %keys;
}

sub agent_template {
    my ($s, $agents, $what) = @_;
    my $template = load_template(
        repo_dir() . '/conf/zabbix/apache_manager_by_agent.yaml');
    my %keys = agent_keys($template);
    # The Python tool's template asks for these, too.
    my %file = map { ("vfs.file.exists[$_]" => 'UNSIGNED',
                      "vfs.file.time[$_,modify]" => 'UNSIGNED') }
        @$agents{qw(data link)};
    for my $program (qw(zabbix_agentd zabbix_agent2)) {
        my $got = test_keys($program, $agents->{config},
                            sort(keys %keys), sort keys %file);
        values_ok($got, "$what, $program -t", %keys, %file);
        for my $file (@$agents{qw(data link)}) {
            is($got->{"vfs.file.exists[$file]"}, 1, "$what: $file");
            cmp_ok(abs(time - $got->{"vfs.file.time[$file,modify]"}), '<', 60,
                   "$what, $program: it is fresh");
        }
        my ($rule) = @{ $template->{discovery_rules} };
        discovery_ok(test_keys($program, $agents->{config}, $rule->{key})
                     ->{ $rule->{key} }, "$what, $program -t");
    }
    my %got = map { $_ => ask_agent($agents->{port}, $_) } sort keys %keys;
    values_ok(\%got, "$what, zabbix_agentd over TCP", %keys);
    return;
}

sub values_ok {
    my ($got, $what, %keys) = @_;
    my @wrong;
    for my $key (sort keys %keys) {
        my $value = $got->{$key} // 'nothing';
        push @wrong, "$key: $value"
            if $value !~ ($keys{$key} eq 'FLOAT' ? $FLOAT : $INT);
    }
    is(join("\n", @wrong), '', "$what: all of " . (keys %keys) . ' keys');
    return;
}

sub discovery_ok {
    my ($text, $what) = @_;
    my $json = eval { JSON::PP->new->utf8->decode($text) } || {};
    is_deeply($json, { data => [map { { '{#NAME}' => $_ } } GROUPS] },
              "$what: the groups") or diag($text);
    return;
}

# The figures are those of the load, not just numbers.
sub busy {
    my ($s, $agents) = @_;
    my $key = 'apache-manager.server-metrics[busy-workers]';
    cmp_ok(ask_agent($agents->{port}, $key), '>=', 2, 'it tells of the load');
    is(JSON::PP->new->canonical->encode(JSON::PP->new->utf8->decode(
           $s->get('/manager-status/discovery.json')->content)),
       JSON::PP->new->canonical->encode(JSON::PP->new->utf8->decode(
           ask_agent($agents->{port}, 'apache-manager.discovery'))),
       'discovery.json and the user parameter name the same groups');
    my $max = ask_agent($agents->{port},
                        'apache-manager.worker-metrics[shop,max]');
    my ($group) = grep { $_->{name} eq 'shop' } @{ $s->json->{groups} };
    cmp_ok(abs($max - $group->{max}), '<', 4 << 20, 'memory is the real one');
    return;
}

# Without the file there is nothing that looks like a value.
sub missing {
    my ($s, $agents, $data) = @_;
    $s->set_config($s->{config} =~ s/^ManagerDataFile .*$/ManagerDataFile Off/mr);
    $s->graceful;
    ok(!-e $data, 'the file is gone with its directive');
    is(ask_agent($agents->{port}, 'apache-manager.file-age'), -1,
       'which is told');
    is(ask_agent($agents->{port}, $_) // '', '', "$_ has no value")
        for 'apache-manager.server-metrics[uptime]', 'apache-manager.discovery';
    return;
}

# ---- our template, without an agent ---------------------------------------

sub http_template {
    my ($s, $what) = @_;
    my $template = load_template(
        repo_dir() . '/conf/zabbix/apache_manager_by_http.yaml');
    my ($master) = grep { ($_->{type} // '') eq 'HTTP_AGENT' }
        all_items($template);
    my $text = $s->get(http_path($template, $master->{url}))->content;
    my $json = JSON::PP->new->utf8->decode($text);
    my @wrong;
    for my $item (grep { ($_->{type} // '') eq 'DEPENDENT' }
                  all_items($template)) {
        push @wrong, part_of($item, $json, $text);
    }
    my ($groups, $managed) = map { discovered($_, $json, \@wrong) }
        @{ $template->{discovery_rules} };
    is(join("\n", @wrong), '', "$what: every part has its value");
    is_deeply($groups, [GROUPS], "$what: the groups");
    is_deeply($managed, [], "$what: no managed processes");
    return;
}

# The names that a rule finds; what is wrong with its items is added.
sub discovered {
    my ($rule, $json, $wrong) = @_;
    my ($nodes) = json_path($json, preprocessing($rule, 'JSONPATH'));
    my @found = discover($rule, $nodes);
    for my $macros (@found) {
        for my $item (@{ $rule->{item_prototypes} }) {
            my ($path) = preprocessing($item, 'JSONPATH');
            $path =~ s/(\{#[A-Z]+\})/$macros->{$1}/g;
            push @$wrong, value_of($item, json_path($json, $path));
        }
    }
    return [map { $_->{'{#NAME}'} } @found];
}

# The address with the macros' values; of it the path.
sub http_path {
    my ($template, $url) = @_;
    my %value = map { $_->{macro} => $_->{value} } @{ $template->{macros} };
    $url =~ s/(\{\$[A-Z.]+\})/$value{$1}/g;
    like($url, qr{^http://\{HOST\.CONN\}:80/}, 'the address of the host');
    $url =~ s{^http://[^/]+}{};
    return $url;
}

sub discover {
    my ($rule, $groups) = @_;
    my @found;
    for my $group (@$groups) {
        my %macros = map { ($_->{lld_macro} => json_path($group, $_->{path})) }
            @{ $rule->{lld_macro_paths} };
        next if grep { $macros{ $_->{macro} } =~ /$_->{value}/ }
            @{ $rule->{filter}{conditions} };
        push @found, \%macros;
    }
    return @found;
}

sub part_of {
    my ($item, $json, $text) = @_;
    my ($path) = preprocessing($item, 'JSONPATH');
    return value_of($item, json_path($json, $path)) if $path;
    my ($script) = preprocessing($item, 'JAVASCRIPT');
    # Zabbix makes a function of it, too.
    open my $node, '-|', 'node', '-e', <<'END', $script, $text
const [body, value] = process.argv.slice(1);
console.log(String(new Function("value", body)(value)));
END
        or die "node: $!\n";
    chomp(my $value = <$node> // '');
    close $node or die "node failed\n";
    return value_of($item, $value);
}

# Nothing, or what is wrong with the values of this item.
sub value_of {
    my ($item, @values) = @_;
    my ($value) = @values;
    my $name = $item->{key};
    return "$name: " . @values . ' values' if @values != 1;
    return "$name: null" if !defined $value;
    my $is_bool = grep { $_->{type} eq 'BOOL_TO_DECIMAL' }
        @{ $item->{preprocessing} };
    my $type = $item->{value_type} // 'UNSIGNED';
    my $form = $is_bool ? qr/^[01]$/ : $type eq 'CHAR' ? qr/./
        : $type eq 'FLOAT' || changes($item) ? qr/^\d+(?:\.\d+)?$/ : $INT;
    return "$name: $value" if "$value" !~ $form;
    return;
}

sub changes {
    my ($item) = @_;
    return grep { $_->{type} eq 'CHANGE_PER_SECOND' }
        @{ $item->{preprocessing} };
}

1;
