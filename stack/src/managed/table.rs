//! Makes types, enums and functions of the two tables in `managed.rs`. No kind and no resource is named here.

/// A line `field: group::version::Kind, scope, verbs, prune;` for each kind.
macro_rules! kinds {
    (
        $($field:ident: $group:ident::$version:ident::$kind:ident, $scope:ident, $verbs:expr, $prune:expr;)*
    ) => {
        $(pub use k8s_openapi::api::$group::$version::$kind;)*

        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[derive(strum::EnumIter, strum::IntoStaticStr)]
        pub enum Kind { $($kind,)* }

        impl Kind {
            /// How the API server serves the kind.
            pub fn api_resource(self) -> kube::core::ApiResource {
                match self { $(Self::$kind => kube::core::ApiResource::erase::<$kind>(&()),)* }
            }

            /// Whether objects of the kind live in a namespace.
            pub fn is_namespaced(self) -> bool {
                match self { $(Self::$kind => stringify!($scope) == "namespaced",)* }
            }

            /// The verbs that the operator uses on the kind.
            pub fn verbs(self) -> &'static [&'static str] {
                match self { $(Self::$kind => $verbs,)* }
            }
        }

        #[derive(Clone, Debug, PartialEq, serde::Serialize)]
        #[serde(untagged)]
        pub enum Object { $($kind(Box<$kind>),)* }

        impl Object {
            pub fn metadata(&self) -> &k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta {
                match self { $(Self::$kind(object) => &object.metadata,)* }
            }
            #[cfg(any(test, feature = "fixtures"))]
            pub fn metadata_mut(
                &mut self,
            ) -> &mut k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta {
                match self { $(Self::$kind(object) => &mut object.metadata,)* }
            }
            pub fn key(&self) -> Key {
                let name = self.metadata().name.clone().unwrap_or_default();
                match self { $(Self::$kind(_) => Key { kind: Kind::$kind, name },)* }
            }
        }

        $(
            impl From<$kind> for Object {
                fn from(object: $kind) -> Self {
                    Self::$kind(Box::new(object))
                }
            }

            impl ManagedKind for $kind {
                const KIND: Kind = Kind::$kind;

                fn prune(&mut self) {
                    crate::prune::metadata(&mut self.metadata);
                    let prune: fn(&mut Self) = $prune;
                    prune(self);
                }

                fn select(objects: &mut ManagedObjects) -> &mut Vec<Arc<Self>> {
                    &mut objects.$field
                }
            }
        )*

        /// Objects that belong to one stack or more, as the caches, a LIST or a file hold them.
        #[derive(Clone, Debug, Default)]
        pub struct ManagedObjects { $(pub $field: Vec<Arc<$kind>>,)* }

        impl ManagedObjects {
            #[cfg(any(test, feature = "fixtures"))]
            pub fn insert(&mut self, object: Object) {
                match object { $(Object::$kind(object) => self.$field.push(Arc::from(object)),)* }
            }

            /// Key and metadata of each object.
            pub fn metadata(
                &self,
            ) -> impl Iterator<Item = (Key, &k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta)> {
                std::iter::empty()
                    $(.chain(self.$field.iter().map(|it| (Key::from_object(it.as_ref()), &it.metadata))))*
            }
        }

        /// Visits each kind of the table.
        pub fn visit_kinds(visitor: &mut impl KindVisitor) {
            $(visitor.$scope::<$kind>();)*
        }
    };
}

/// A block `Name in file: Kind, part, component { name: …, needs: [needed] }` for each resource.
macro_rules! resources {
    (
        $($resource:ident in $file:ident: $kind:ident, $part:ident, $component:ident {
            name: $name:expr,
            needs: [$($needed:ident),*],
        })*
    ) => {
        /// An object that the operator writes for a stack. Variants are in the order of apply.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, strum::EnumIter)]
        pub enum ManagedResource { $($resource,)* }

        impl ManagedResource {
            pub fn kind(self) -> Kind {
                match self { $(Self::$resource => Kind::$kind,)* }
            }

            /// The part of the stack that the object shows.
            pub fn part(self) -> crate::part::Part {
                match self { $(Self::$resource => crate::part::Part::$part,)* }
            }

            pub fn component(self) -> crate::labels::Component {
                match self { $(Self::$resource => crate::labels::Component::$component,)* }
            }

            /// The resources that must exist before this one can work. A stack has only some of them.
            pub fn needs(self) -> &'static [Self] {
                match self { $(Self::$resource => &[$(Self::$needed),*],)* }
            }

            /// The object's name, if the spec asks for the object and its name follows from the spec.
            pub fn expected_name(
                self,
                stack: &crate::stack_ref::StackRef,
                requirements: &crate::requirements::Requirements<'_>,
            ) -> Option<String> {
                type Name =
                    fn(&crate::stack_ref::StackRef, &crate::requirements::Requirements<'_>) -> Option<String>;
                let name: Name = match self { $(Self::$resource => $name,)* };
                name(stack, requirements)
            }

            pub fn desired(self, stack: &crate::stack::Stack) -> crate::build::Desired {
                match self { $(Self::$resource => crate::resources::$file::desired(stack),)* }
            }
        }
    };
}
