#!/usr/bin/python
# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module plan: decides what will be deployed, or names every reason why it cannot be."""

from __future__ import annotations

DOCUMENTATION = r"""
module: plan
short_description: Decide what a LiteMaaS deployment consists of, and refuse what cannot work
version_added: 0.2.0
author:
  - rhpds.litemaas contributors (@rhpds)
description:
  - Turns the settings of a deployment into a list of instances, each with its names, images, sizes
    and address. The other modules work through that list, whatever its length.
  - Looks at the settings and at the cluster and finds every problem there is, not just the first.
    Any problem fails the module, before anything was created. The message numbers them, and each
    names its variable, the value found, and what to do.
  - Each option stands for a variable of the role P(rhpds.litemaas.ocp4_workload_litemaas#role),
    whose name is the option's path behind C(ocp4_workload_litemaas_). O(litellm.cpu_limit) is
    C(ocp4_workload_litemaas_litellm_cpu_limit). Messages use these names. C(num_users) alone has
    no prefix.
  - Nothing is written to the cluster. What the connecting user may do is asked for with access
    reviews.
options:
  cluster:
    description:
      - What is known about the cluster, as M(rhpds.litemaas.cluster_info) returns it.
      - When left out, the cluster is asked, which saves the start of another module.
    type: dict
    suboptions:
      platform:
        description: The platform, such as V(AWS). Empty when it is not known.
        type: str
        default: ""
      apps_domain:
        description:
          - The domain under which gateways get their host names.
          - When it is empty on plain Kubernetes, gateways are reachable inside the cluster only.
            With Routes it must not be empty.
        type: str
        default: ""
      routes:
        description: Whether the cluster has Routes. Without them an Ingress is used.
        type: bool
        required: true
      openshift:
        description: Whether the cluster is OpenShift.
        type: bool
        required: true
      kubernetes_version:
        description: The version of the API server. One before 1.25 (OpenShift 4.12) is warned of.
        type: str
        default: ""
  cluster_domain:
    description: The domain for host names, in place of the one that the cluster tells.
    type: str
    default: ""
  namespace:
    description:
      - The namespace of the instance.
      - With O(multi_user) the first part of each namespace, followed by a dash, O(user_prefix) and
        the number.
    type: str
    required: true
  use_existing_namespace:
    description:
      - Whether the namespace is there already and stays somebody else's. It is never labelled or
        deleted then, and it is refused when something in it bears a name that the instance needs.
      - When V(false), a namespace that exists and was not made by this collection is refused.
    type: bool
    default: false
  version:
    description: The release of LiteMaaS, written as a tag.
    type: str
    required: true
  cloud_provider:
    description:
      - The platform to go by, in place of what was detected. It decides which storage classes are
        looked for first where the cluster has no default.
      - One of the platform types of OpenShift, in any spelling.
    type: str
    default: ""
  route_name:
    description: The part of the host name that tells this deployment from others.
    type: str
    required: true
  route:
    description: The address of the gateways, where a site wants its own.
    type: dict
    suboptions:
      host:
        description:
          - The host name, in place of the one that is put together.
          - With an instance for each of several users it must hold C({user}), which stands for the prefix and
            the number of the user; otherwise it must not.
        type: str
        default: ""
      tls_secret:
        description:
          - The name of a Secret of the type C(kubernetes.io/tls) in the namespace of each instance, with
            the certificate for its address. It must be there, unless one of O(extra_manifests) makes it.
        type: str
        default: ""
      tls_certificate:
        description:
          - That certificate itself in PEM, which the module M(rhpds.litemaas.credentials) then keeps in a
            Secret. Its key is one of O(credentials). Both are tried on each host name.
        type: str
        default: ""
      ca:
        description: Who signed it, as PEM text or as the path of a file. When given, that is tried too.
        type: str
        default: ""
  multi_user:
    description: Whether each of O(num_users) users gets an instance.
    type: bool
    default: false
  num_users:
    description:
      - The number of users, as a number or as text. Anything but a whole number from 1 to 1000 is
        refused.
      - Ignored unless O(multi_user=true).
    type: raw
  user_prefix:
    description: What stands before the number in the names of each user's instance.
    type: str
    default: user
  tenancy:
    description:
      - V(dedicated) for an instance for each user; V(shared) for one gateway on which each user has a login, a
        team with a budget, and keys.
      - Ignored unless O(multi_user=true), but V(shared) is refused then.
    type: str
    default: dedicated
  shared_limits:
    description:
      - What each user of a shared gateway may use, with C(max_budget) in US dollars, C(budget_duration),
        C(tpm_limit), C(rpm_limit) and C(max_parallel_requests). One that is left out is no limit.
    type: dict
    default: {}
  allow_unsafe_image:
    description:
      - Whether to accept images whose tag moves, LiteLLM versions with known holes, and images
        from docker.io. They are warned of then.
      - LiteLLM 1.82.7, 1.82.8 and 1.107 are refused all the same.
    type: bool
    default: false
  image_registry:
    description:
      - The registry that serves all images, in place of each image's own. A host, or a host with
        a path.
    type: str
    default: ""
  image_pull_secret:
    description:
      - The name of a Secret in the namespace of each instance with which its images are pulled. It must be
        there.
    type: str
    default: ""
  egress:
    description:
      - V(open), or V(restricted) for pods that connect to nothing but the cluster's DNS, their own
        database and Redis, and what O(egress_allow) names.
    type: str
    default: open
  egress_allow:
    description:
      - What the gateways may reach, a list. A network or address, with a port behind a colon or without,
        or a rule with C(to) and C(ports) as in a NetworkPolicy.
    type: raw
    default: []
  ignore_capacity:
    description:
      - Whether to go on when the cluster has too little room, with a warning. Meant for clusters
        that add nodes when pods wait for one.
    type: bool
    default: false
  extra_manifests:
    description:
      - Manifests that are added to each instance, a list. Here they are only judged; one that is a Secret,
        names a namespace or bears a name of the instance's own objects is refused.
    type: raw
    default: []
  deploy_redis:
    description:
      - Whether each instance gets a Redis, with which several pods of its gateway hold limits together.
        Several pods without it are warned of.
    type: bool
    default: false
  deploy_pgbouncer:
    description:
      - Whether each instance gets a PgBouncer, through which the pods of its gateway share connections to the
        database.
    type: bool
    default: false
  database_secret:
    description:
      - Where the URL of a PostgreSQL that is there already is kept, in place of one for each instance. Empty for the
        latter.
      - The C(name) of a Secret, the C(key) in it (by default C(DATABASE_URL)) and the C(namespace) it is in (by
        default that of the instance). In each of them $(INSTANCE) and $(NAMESPACE) stand for those of the
        instance.
      - A Secret that cannot be read, a value that is no URL and one database for several instances are refused.
    type: dict
    default: {}
  deploy_frontend:
    description:
      - Whether each instance gets the frontend of the LiteMaaS application. V(true) is refused unless O(deploy_backend)
        and O(oauth_enabled) are too.
    type: bool
    default: false
  deploy_backend:
    description:
      - Whether each instance gets the backend of the LiteMaaS application. V(true) is refused unless O(deploy_frontend)
        and O(oauth_enabled) are too.
    type: bool
    default: false
  oauth_enabled:
    description:
      - Whether people enter the LiteMaaS application with their OpenShift user. V(true) is refused unless O(deploy_frontend)
        and O(deploy_backend) are too, and where the cluster has no OAuth server of OpenShift.
    type: bool
    default: false
  litellm:
    description: The gateway.
    type: dict
    required: true
    suboptions:
      image:
        description: The image, with or without a tag or digest.
        type: str
        required: true
      tag:
        description: The tag, used when the image has neither tag nor digest of its own.
        type: str
        default: ""
      replicas:
        description: The number of pods of each gateway, from 1 to 5.
        type: int
        required: true
      database_connections:
        description:
          - How many connections to the database each pod keeps at most.
          - Together with what else needs some they must fit into O(postgres.max_connections), also while
            pods are replaced.
        type: int
        default: 10
      config:
        description:
          - Settings for C(config.yaml), handed on as they are and merged with those of this collection.
          - What contradicts the rest of the deployment is refused, and so is a secret.
        type: raw
        default: {}
      env_secrets:
        description: Secrets in the instance's namespace whose keys become environment variables.
        type: list
        elements: str
        default: []
      env:
        description:
          - Environment variables of the gateway, such as a proxy for model endpoints. What this collection
            sets itself is refused, and so is a secret.
        type: dict
        default: {}
      ca_bundle:
        description: Certificates in PEM that the gateway trusts in place of its image's.
        type: str
        default: ""
      ui_username:
        description: The administrator's user name in the web UI.
        type: str
        required: true
      cpu_request:
        description: The CPU each pod is sure of.
        type: str
        required: true
      cpu_limit:
        description: The CPU each pod may use.
        type: str
        required: true
      memory_request:
        description: The memory each pod is sure of.
        type: str
        required: true
      memory_limit:
        description: The memory each pod may use.
        type: str
        required: true
  postgres:
    description: The database.
    type: dict
    required: true
    suboptions:
      image:
        description: The image, with or without a tag or digest.
        type: str
        required: true
      tag:
        description: The tag, used when the image has neither tag nor digest of its own.
        type: str
        default: ""
      storage_class:
        description:
          - The storage class of the volume.
          - When it is empty, a volume that exists keeps its class, and a new one gets the class
            that M(rhpds.litemaas.storage_class_info) would choose.
        type: str
        default: ""
      storage_size:
        description: The size of the volume.
        type: str
        required: true
      storage_access_mode:
        description: The access mode of the volume.
        type: str
        default: ReadWriteOnce
      max_connections:
        description: How many connections the database gives, 1000 at most.
        type: int
        default: 100
      cpu_request:
        description: The CPU the pod is sure of.
        type: str
        required: true
      cpu_limit:
        description: The CPU the pod may use.
        type: str
        required: true
      memory_request:
        description: The memory the pod is sure of.
        type: str
        required: true
      memory_limit:
        description: The memory the pod may use.
        type: str
        required: true
  redis:
    description: The Redis of each instance, the same with one user or many. Required when O(deploy_redis=true).
    type: dict
    suboptions:
      image:
        description: The image, with or without a tag or digest.
        type: str
        required: true
      tag:
        description: The tag, used when the image has neither tag nor digest of its own.
        type: str
        default: ""
      storage_size:
        description: The size of its volume, of the storage class of the database's. Empty for none.
        type: str
        default: ""
      cpu_request:
        description: The CPU the pod is sure of.
        type: str
        required: true
      cpu_limit:
        description: The CPU the pod may use.
        type: str
        required: true
      memory_request:
        description: The memory the pod is sure of.
        type: str
        required: true
      memory_limit:
        description: The memory the pod may use.
        type: str
        required: true
  pgbouncer:
    description: The PgBouncer of each instance, the same with one user or many. Required when O(deploy_pgbouncer=true).
    type: dict
    suboptions:
      image:
        description: The image, with or without a tag or digest.
        type: str
        required: true
      tag:
        description: The tag, used when the image has neither tag nor digest of its own.
        type: str
        default: ""
      pool_size:
        description:
          - How many connections to the database it keeps at most.
          - Twice as many, because there may be two while it is replaced, must fit into O(postgres.max_connections)
            together with what else needs some.
        type: int
        default: 20
      cpu_request:
        description: The CPU the pod is sure of.
        type: str
        required: true
      cpu_limit:
        description: The CPU the pod may use.
        type: str
        required: true
      memory_request:
        description: The memory the pod is sure of.
        type: str
        required: true
      memory_limit:
        description: The memory the pod may use.
        type: str
        required: true
  backend:
    description: The backend of each instance's LiteMaaS application. Required when O(deploy_backend=true).
    type: dict
    suboptions: &application
      image:
        description: The image, with or without a tag or digest. Without, the tag is O(version).
        type: str
        required: true
      cpu_request:
        description: The CPU the pod is sure of.
        type: str
        required: true
      cpu_limit:
        description: The CPU the pod may use.
        type: str
        required: true
      memory_request:
        description: The memory the pod is sure of.
        type: str
        required: true
      memory_limit:
        description: The memory the pod may use.
        type: str
        required: true
  frontend:
    description: The frontend of each instance's LiteMaaS application. Required when O(deploy_frontend=true).
    type: dict
    suboptions: *application
  multi_user_litellm:
    description: The sizes of each user's gateway. Required when O(multi_user=true).
    type: dict
    suboptions: &sizes
      cpu_request:
        description: The CPU each pod is sure of.
        type: str
        required: true
      cpu_limit:
        description: The CPU each pod may use.
        type: str
        required: true
      memory_request:
        description: The memory each pod is sure of.
        type: str
        required: true
      memory_limit:
        description: The memory each pod may use.
        type: str
        required: true
  multi_user_postgres:
    description: The sizes of each user's database. Required when O(multi_user=true).
    type: dict
    suboptions: *sizes
  content:
    description:
      - What each gateway is to hold, as C(models), C(teams) and C(virtual_keys) with the entries of
        M(rhpds.litemaas.gateway_content). It is judged and never returned.
    type: dict
    default: {}
  credentials:
    description:
      - Credentials that the user set, by the full name of the variable. They are judged and never
        returned; empty ones are passed over.
      - The names are C(ocp4_workload_litemaas_postgres_password),
        C(ocp4_workload_litemaas_litellm_ui_password),
        C(ocp4_workload_litemaas_litellm_master_key), C(ocp4_workload_litemaas_litellm_salt_key),
        C(ocp4_workload_litemaas_multi_user_common_password), C(ocp4_workload_litemaas_route_tls_key)
        and C(ocp4_workload_litemaas_image_pull_secret_content).
    type: dict
    default: {}
extends_documentation_fragment:
  - rhpds.litemaas.connection
  - rhpds.litemaas.read_only
notes:
  - Room is what the nodes that take ordinary pods have beyond the requests of the pods on them,
    each node for itself, and the number of pods and volumes each takes. Pods are placed first fit,
    the largest first, which is an estimate of what the scheduler does. Limits and storage are shown
    and refuse nothing. Pods of the deployment that run as wanted ask for nothing more.
  - The storage class of a volume that exists never changes, even when the cluster's default does.
  - In a namespace that others made, ResourceQuotas, LimitRanges and the ClusterResourceQuotas of
    OpenShift are compared with what the instances ask for.
  - The permissions are those of the files C(installer-clusterrole.yml) and C(installer-role.yml)
    of the role. The right to get C(services/proxy), to list events and to read logs is not
    required, and its absence a warning. So is that to list nodes and all pods, without which it is
    not known whether the cluster has room.
seealso:
  - module: rhpds.litemaas.cluster_info
  - module: rhpds.litemaas.storage_class_info
"""

EXAMPLES = r"""
- name: Plan one instance
  rhpds.litemaas.plan:
    namespace: litemaas
    version: 0.2.0
    route_name: rhpds
    litellm: &litellm
      image: ghcr.io/berriai/litellm-non_root
      tag: v1.106.0
      replicas: 1
      ui_username: admin
      cpu_request: 200m
      cpu_limit: 1000m
      memory_request: 1Gi
      memory_limit: 2Gi
    postgres: &postgres
      image: quay.io/sclorg/postgresql-16-c9s
      tag: "20260923"
      storage_size: 10Gi
      cpu_request: 500m
      cpu_limit: 1000m
      memory_request: 512Mi
      memory_limit: 1Gi
  register: plan

- name: Say what it comes to
  ansible.builtin.debug:
    msg: "{{ plan.summary }}"

- name: Plan an instance for each of three users
  rhpds.litemaas.plan:
    cluster_domain: apps.example.com
    namespace: litemaas
    version: 0.2.0
    route_name: rhpds
    multi_user: true
    num_users: 3
    litellm: *litellm
    postgres: *postgres
    multi_user_litellm:
      cpu_request: 100m
      cpu_limit: 500m
      memory_request: 1Gi
      memory_limit: 2Gi
    multi_user_postgres:
      cpu_request: 200m
      cpu_limit: 500m
      memory_request: 256Mi
      memory_limit: 512Mi
  register: plan
"""

RETURN = r"""
instances:
  description: The instances in the order of the users. None of them holds a credential.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The namespace, or with several users V(user1) and so on, whatever the prefix, or V(shared).
      type: str
      sample: litemaas
    user:
      description: V(user1) and so on where it is that user's alone, else empty.
      type: str
      sample: ""
    deployment:
      description: The value of the label that all objects of the deployment carry.
      type: str
      sample: litemaas
    namespace:
      description: Its namespace.
      type: str
      sample: litemaas
    create_namespace:
      description: Whether the namespace is ours to create, label and delete.
      type: bool
      sample: true
    labels:
      description: The labels by which each of its objects is known as ours.
      type: dict
      sample:
        app.kubernetes.io/managed-by: rhpds.litemaas
        app.kubernetes.io/part-of: litemaas
        rhpds.litemaas/deployment: litemaas
        rhpds.litemaas/instance: litemaas
    host:
      description: Its host name, empty when it is not exposed.
      type: str
      sample: litellm-rhpds.apps.example.com
    url:
      description: The address of its gateway.
      type: str
      sample: https://litellm-rhpds.apps.example.com
    expose:
      description: V(route), V(ingress) or V(none).
      type: str
      sample: route
    tls_secret:
      description: The Secret with the certificate for its address. Empty for the router's own.
      type: str
      sample: ""
    pull_secret:
      description: The Secret its images are pulled with. Empty where none is needed.
      type: str
      sample: ""
    own_secrets:
      description:
        - V(certificate) and V(pull-secret), where that Secret is made with the instance.
      type: list
      elements: str
      sample: []
    egress:
      description: Whether its pods may connect to no more than is said.
      type: bool
      sample: false
    litellm:
      description: Its gateway.
      type: dict
      contains:
        image:
          description: The image in full.
          type: str
          sample: ghcr.io/berriai/litellm-non_root:v1.106.0
        replicas:
          description: The number of pods.
          type: int
          sample: 1
        several:
          description: Whether there may be more than one pod.
          type: bool
          sample: false
        autoscaled:
          description: Whether an autoscaler of O(extra_manifests) says how many pods there are.
          type: bool
          sample: false
        config:
          description: The configuration file. Empty where none is needed.
          type: dict
          sample: {}
        env_secrets:
          description: The Secrets whose keys become environment variables.
          type: list
          elements: str
          sample: []
        env:
          description: The environment variables of the site's.
          type: dict
          sample: {}
        ca_bundle:
          description: Whether it trusts the certificates of O(litellm.ca_bundle).
          type: bool
          sample: false
        resources:
          description: The requests and limits of each pod.
          type: dict
          sample:
            requests: {cpu: 200m, memory: 1Gi}
            limits: {cpu: 1000m, memory: 2Gi}
    postgres:
      description: Its database.
      type: dict
      contains:
        image:
          description: The image in full.
          type: str
          sample: quay.io/sclorg/postgresql-16-c9s:20260923
        storage_class:
          description: The storage class of the volume.
          type: str
          sample: gp3-csi
        storage_size:
          description: The size of the volume.
          type: str
          sample: 10Gi
        access_mode:
          description: The access mode of the volume.
          type: str
          sample: ReadWriteOnce
        max_connections:
          description: The number of connections it gives.
          type: int
          sample: 100
        resources:
          description: The requests and limits of the pod.
          type: dict
          sample:
            requests: {cpu: 500m, memory: 512Mi}
            limits: {cpu: 1000m, memory: 1Gi}
    redis:
      description: Its Redis; none where that is switched off.
      type: dict
      contains:
        image:
          description: The image in full.
          type: str
          sample: quay.io/sclorg/redis-7-c9s:20260923
        storage_class:
          description: The storage class of its volume.
          type: str
          sample: gp3-csi
        storage_size:
          description: The size of its volume. Empty where it has none.
          type: str
          sample: 5Gi
        maxmemory:
          description: How many bytes of data it holds at most.
          type: int
          sample: 268435456
        resources:
          description: The requests and limits of the pod.
          type: dict
          sample:
            requests: {cpu: 50m, memory: 64Mi}
            limits: {cpu: 500m, memory: 512Mi}
    pgbouncer:
      description: Its PgBouncer; none where the gateway connects to the database directly.
      type: dict
      contains:
        image:
          description: The image in full.
          type: str
          sample: ghcr.io/cloudnative-pg/pgbouncer:1.24.0
        pool_size:
          description: How many connections to the database it keeps at most.
          type: int
          sample: 20
        max_client_conn:
          description: How many connections it takes.
          type: int
          sample: 49
        resources:
          description: The requests and limits of the pod.
          type: dict
          sample:
            requests: {cpu: 20m, memory: 16Mi}
            limits: {cpu: 500m, memory: 64Mi}
    external_database:
      description: Where the URL of the site's database is kept; none where the instance has its own.
      type: dict
      contains:
        namespace:
          description: The namespace of the Secret.
          type: str
          sample: databases
        name:
          description: The name of the Secret.
          type: str
          sample: litemaas
        key:
          description: The key in it.
          type: str
          sample: DATABASE_URL
    backend:
      description: The backend of its LiteMaaS application; none where that is switched off.
      type: dict
      contains:
        image:
          description: The image in full.
          type: str
          sample: quay.io/rh-aiservices-bu/litemaas-backend:0.2.0
        resources:
          description: The requests and limits of its container.
          type: dict
          sample:
            requests: {cpu: 100m, memory: 256Mi}
            limits: {cpu: 500m, memory: 512Mi}
        client_id:
          description: The name by which the OAuth server knows it.
          type: str
          sample: system:serviceaccount:litemaas:backend
        issuer:
          description: The OAuth server.
          type: str
          sample: https://oauth-openshift.apps.example.com
        callback_url:
          description: Where people come back from the login.
          type: str
          sample: https://litemaas-rhpds.apps.example.com/api/auth/callback
        origin:
          description: Of the pages that may ask it.
          type: str
          sample: https://litemaas-rhpds.apps.example.com
    frontend:
      description: The frontend of its LiteMaaS application; none where that is switched off.
      type: dict
      contains:
        image:
          description: The image in full.
          type: str
          sample: quay.io/rh-aiservices-bu/litemaas-frontend:0.2.0
        resources:
          description: The requests and limits of its container.
          type: dict
          sample:
            requests: {cpu: 50m, memory: 128Mi}
            limits: {cpu: 200m, memory: 256Mi}
        host:
          description: Its host name.
          type: str
          sample: litemaas-rhpds.apps.example.com
        url:
          description: Its address.
          type: str
          sample: https://litemaas-rhpds.apps.example.com
recipients:
  description: Who is told how to log in, in the order of the users; without users one.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: V(user1) and so on, whatever the prefix; without users the namespace.
      type: str
      sample: user1
    user:
      description: The same with users, else empty.
      type: str
      sample: user1
    instance:
      description: The name of the instance.
      type: str
      sample: shared
    namespace:
      description: The namespace of the instance.
      type: str
      sample: litemaas-user-shared
    url:
      description: The address of its gateway.
      type: str
      sample: https://litellm-user-shared-rhpds.apps.example.com
    frontend_url:
      description: The address of the instance's LiteMaaS application. Empty where it has none.
      type: str
      sample: ""
    login:
      description: The user's own name on a shared gateway. Empty where the user is its administrator.
      type: str
      sample: user1
    key:
      description: The alias of the user's own key on a shared gateway.
      type: str
      sample: user1
tenants:
  description:
    - What a shared gateway holds for its users, as C(teams), C(users) and C(virtual_keys) with the entries of
      M(rhpds.litemaas.gateway_content). Empty lists where none is shared.
  returned: success
  type: dict
  sample: {teams: [], users: [], virtual_keys: []}
tenants_metadata:
  description: The metadata that marks all of these.
  returned: success
  type: dict
  sample: {rhpds_litemaas_for: users}
deployment:
  description: The value of the label that all objects of the deployment carry.
  returned: success
  type: str
  sample: litemaas
cluster:
  description: What is known about the cluster; as O(cluster), with the domain that is used.
  returned: success
  type: dict
  contains:
    platform:
      description: The platform; empty when it is not known.
      type: str
      sample: AWS
    apps_domain:
      description: The domain of the gateways' host names.
      type: str
      sample: apps.example.com
    routes:
      description: Whether the cluster has Routes.
      type: bool
      sample: true
    openshift:
      description: Whether the cluster is OpenShift.
      type: bool
      sample: true
    kubernetes_version:
      description: The version of the API server.
      type: str
      sample: v1.34.1
cloud_provider:
  description: The platform, from O(cloud_provider) or else from O(cluster.platform).
  returned: success
  type: str
  sample: AWS
storage_class:
  description: The storage class of new volumes.
  returned: success
  type: dict
  contains:
    name:
      description: Its name.
      type: str
      sample: gp3-csi
    provisioner:
      description: What makes the volumes. Empty when the class could not be read.
      type: str
      sample: ebs.csi.aws.com
    volume_binding_mode:
      description: When a volume is made.
      type: str
      sample: WaitForFirstConsumer
    allow_volume_expansion:
      description: Whether a volume can grow.
      type: bool
      sample: true
    reclaim_policy:
      description: What becomes of a volume whose claim is deleted.
      type: str
      sample: Delete
    reason:
      description: Why this class.
      type: str
      sample: the cluster's default storage class
surplus:
  description:
    - Namespaces of this deployment that are not in the plan, of an earlier run with more users or
      with the other tenancy. They are left alone.
  returned: success
  type: list
  elements: str
  sample: []
replaced_databases:
  description:
    - Namespaces whose own database one of O(database_secret) takes the place of. Its volume is kept, and its
      Secret; the rest is to be removed once the gateway answers.
  returned: success
  type: list
  elements: str
  sample: []
sizing:
  description: What one instance and all of them ask of the cluster.
  returned: success
  type: dict
  contains:
    instance:
      description: One instance.
      type: dict
      sample: &sizing
        cpu_request: 700m
        cpu_limit: "2"
        memory_request: 1.5Gi
        memory_limit: 3Gi
        storage: 10Gi
        pods: 2
        volumes: 1
    total:
      description: All instances.
      type: dict
      sample: *sizing
    dedicated:
      description: All instances if each user had one. Only when they share one.
      type: dict
      sample: *sizing
    shared:
      description: The one instance if all users shared it. Only when each has one.
      type: dict
      sample: *sizing
room:
  description: Whether the cluster has room for what does not run yet.
  returned: always
  type: dict
  contains:
    fits:
      description:
        - Whether every pod finds a node. None when it is not known, because nodes or pods may not
          be listed or a setting is no number to go by.
      type: bool
      sample: true
    fitting:
      description: How many of the instances fit, those that run included. 0 when it is not known.
      type: int
      sample: 80
    table:
      description: What is needed and what there is, for people, in lines.
      type: list
      elements: str
      sample: ["Room for 1 instance: all pods run already, nothing more is needed."]
report:
  description:
    - The summary, the instances with their addresses, what is needed and what there is, and
      RV(upstream_images), for people, in lines. With problems too, as far as it could be made.
  returned: always
  type: list
  elements: str
  sample: ["1 instance in litemaas"]
egress:
  description:
    - Rules of a NetworkPolicy, the same for all gateways, for what they may reach beside their database and
      Redis. Empty where everything is open.
  returned: success
  type: list
  elements: dict
  sample: []
upstream_images:
  description:
    - The images of RV(images) where their makers publish them, for a mirror to hold, whatever
      O(image_registry) says.
  returned: success
  type: list
  elements: str
  sample:
    - ghcr.io/berriai/litellm-non_root:v1.106.0
    - quay.io/sclorg/postgresql-16-c9s:20260923
images:
  description: Every image that the instances run, in full.
  returned: success
  type: list
  elements: str
  sample:
    - ghcr.io/berriai/litellm-non_root:v1.106.0
    - quay.io/sclorg/postgresql-16-c9s:20260923
summary:
  description: The plan in the words of a person, a line a subject.
  returned: success
  type: list
  elements: str
  sample:
    - 1 instance in litemaas
    - "Gateway: ghcr.io/berriai/litellm-non_root:v1.106.0, 1 replica"
warnings:
  description: What works and should be known. Ansible prints them.
  returned: when there are any
  type: list
  elements: str
problems:
  description: Why the deployment cannot start. Empty on success.
  returned: always
  type: list
  elements: dict
  contains:
    variable:
      description:
        - The full name of the role's variable; V(permissions), V(connection) or V(capacity) where
          no variable is at fault.
      type: str
      sample: ocp4_workload_litemaas_litellm_replicas
    value:
      description: The value found. Empty when there is none, and for credentials.
      type: str
      sample: "9"
    problem:
      description: What is wrong with it.
      type: str
      sample: must be 1 to 5
    remedy:
      description: What to do.
      type: str
"""

from functools import cache
from typing import cast

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _client,
    _connection,
    _egress,
    _instances,
    _plan,
    _preflight,
    _problem,
    _secrecy,
    _settings,
    _tenants,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError


def argument_spec() -> dict[str, dict]:
    """Return the options: the connection's and the deployment's settings."""
    return {**_connection.ARGUMENT_SPEC, **_settings.ARGUMENT_SPEC}


def main() -> None:
    """Decide, and return the plan or all problems."""
    module = AnsibleModule(
        argument_spec=argument_spec(),
        required_if=_settings.REQUIRED_IF,
        supports_check_mode=True,
    )
    settings = cast(_settings.Settings, dict(module.params))
    # Credentials are judged here and returned nowhere. Once they are out of the parameters their
    # values need not be searched for in the result, where one that is part of a name (a password
    # `litellm`) would be hidden, so that the message refusing it could not be read.
    given = module.params.pop("credentials"), module.params.pop("content")
    module.no_log_values.difference_update(_secrecy.texts(given))
    connect = cache(lambda: _client.connect(module.params))
    try:
        settings["cluster"] = _plan.cluster(settings, connect)
    except LitemaasError as error:
        module.fail_json(msg=str(error), **error.result)
    plan = _plan.make(settings, connect)
    for warning in plan.warnings:
        module.warn(warning)
    if plan.problems:
        refusal = _problem.refusal(plan.problems)
        room, report = plan.room.result(), plan.report
        module.fail_json(msg=str(refusal), room=room, report=report, **refusal.result)
    module.exit_json(
        changed=False,
        instances=plan.instances,
        cluster=settings["cluster"],
        deployment=_instances.deployment(settings),
        cloud_provider=_preflight.platform(settings),
        storage_class=plan.storage_class,
        surplus=plan.surplus,
        replaced_databases=plan.replaced,
        recipients=_tenants.recipients(settings, plan.instances, plan.users),
        tenants=_tenants.content(settings, plan.users),
        tenants_metadata=_tenants.MARK,
        sizing=_plan.sizing(plan, settings),
        room=plan.room.result(),
        report=plan.report,
        images=_plan.images(plan),
        upstream_images=_plan.upstream_images(settings),
        egress=_egress.rules(settings),
        summary=_plan.summary(plan, settings),
        problems=[],
    )


if __name__ == "__main__":
    main()
